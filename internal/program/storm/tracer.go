// SPDX-License-Identifier: Apache-2.0

//go:build linux && lab

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"github.com/dropwatch/dropwatch/internal/lab"
)

// tracer is something to measure. start returns when it traces; the function it
// returns ends it and tells what it saw.
type tracer struct {
	name  string
	start func() (stop func() (saw, error), err error)
}

// saw is what a tracer says of itself.
type saw struct {
	counted  uint64 // drops; 0: it does not say
	lost     string // in its own words
	fileSize int64
	cpu      time.Duration // of its process
	resident int64         // at most, bytes
}

func tracers(o options) []tracer {
	return []tracer{
		{"no tracer", func() (func() (saw, error), error) {
			return func() (saw, error) { return saw{}, nil }, nil
		}},
		{"empty tp_btf program", startEmpty},
		{"dropwatch", startDropwatch(o, filepath.Join(o.dir, "drops"))},
		{"dropwatch --exact", startDropwatch(o, filepath.Join(o.dir, "exact"), "--exact")},
		{"bpftrace @[kstack, reason]", startBpftrace(filepath.Join(o.dir, "bpftrace"))},
		{"perf record -g", startPerf(filepath.Join(o.dir, "perf"))},
	}
}

const emptyName = "storm_empty"

// startEmpty attaches a program that does nothing: what tracing costs at least.
func startEmpty() (func() (saw, error), error) {
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.Tracing, AttachType: ebpf.AttachTraceRawTp, AttachTo: "kfree_skb",
		Name: emptyName, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
	if err != nil {
		return nil, err
	}
	attached, err := link.AttachTracing(link.TracingOptions{Program: program})
	if err != nil {
		return nil, err
	}
	return func() (saw, error) {
		defer program.Close()
		return saw{}, attached.Close()
	}, nil
}

func startDropwatch(o options, file string, flags ...string) func() (func() (saw, error), error) {
	return func() (func() (saw, error), error) {
		args := append([]string{"record", "-q", "-o", file}, flags...)
		p, err := spawn(file, exec.Command(o.dropwatch, args...))
		if err != nil {
			return nil, err
		}
		// It attaches before it writes.
		if err := p.await(func() bool { info, err := os.Stat(file); return err == nil && info.Size() > 0 }); err != nil {
			return nil, err
		}
		return func() (saw, error) {
			s, err := p.end(file)
			if err != nil {
				return s, err
			}
			s.counted, s.lost, err = dropwatchTotals(o.dropwatch, file)
			return s, err
		}, nil
	}
}

func dropwatchTotals(dropwatch, file string) (uint64, string, error) {
	out, err := exec.Command(dropwatch, "report", "--by", "reason", "-f", "json", file).Output()
	if err != nil {
		return 0, "", err
	}
	var report struct {
		Totals struct {
			Unwound uint64
			Lost    struct {
				RingFull    uint64 `json:"ring_full"`
				StackFailed uint64 `json:"stack_failed"`
				Missed      *uint64
			}
		}
		Groups []struct {
			Key   struct{ Reason string }
			Drops uint64
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return 0, "", err
	}
	lost := report.Totals.Lost
	text := fmt.Sprintf("%d samples", lost.RingFull+lost.StackFailed)
	if lost.Missed == nil || *lost.Missed > 0 {
		text += ", some drops"
	}
	for _, g := range report.Groups {
		if g.Key.Reason == "NETFILTER_DROP" {
			return g.Drops, text, nil
		}
	}
	return 0, text, nil
}

func startBpftrace(file string) func() (func() (saw, error), error) {
	return func() (func() (saw, error), error) {
		p, err := spawn(file, lab.WithTracefs("bpftrace", "-o", file, "-e", "tracepoint:skb:kfree_skb { @[kstack, args->reason] = count(); }"))
		if err != nil {
			return nil, err
		}
		if err := p.await(func() bool { return contains(file, "Attaching") }); err != nil {
			return nil, err
		}
		time.Sleep(time.Second) // it says so before it does
		return func() (saw, error) {
			s, err := p.end(file)
			if err != nil {
				return s, err
			}
			s.lost = "not said"
			s.counted, err = bpftraceTotal(file)
			return s, err
		}, nil
	}
}

// bpftraceTotal adds up the counts of the stacks of nft's drops. An entry begins
// with "@[", has a line per frame and ends with "]: 12".
func bpftraceTotal(file string) (sum uint64, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for entry := range strings.SplitSeq(string(text), "@[") {
		if _, count, ok := strings.Cut(entry, "]: "); ok && strings.Contains(entry, "nft_do_chain") {
			n, err := strconv.ParseUint(strings.TrimSpace(count), 10, 64)
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	return sum, nil
}

func startPerf(file string) func() (func() (saw, error), error) {
	return func() (func() (saw, error), error) {
		p, err := spawn(file, lab.WithTracefs("perf", "record", "-g", "-a", "-e", "skb:kfree_skb", "-o", file))
		if err != nil {
			return nil, err
		}
		if err := p.await(func() bool { info, err := os.Stat(file); return err == nil && info.Size() > 0 }); err != nil {
			return nil, err
		}
		time.Sleep(time.Second) // events are enabled after the header is written
		return func() (saw, error) {
			s, err := p.end(file)
			s.lost = "not said"
			if match := perfLost.FindString(p.stderr.String()); match != "" {
				s.lost = match
			}
			if match := perfSamples.FindStringSubmatch(p.stderr.String()); match != nil {
				s.counted, _ = strconv.ParseUint(match[1], 10, 64) // digits
			}
			return s, err
		}, nil
	}
}

// What perf says when it ends: "(1234 samples)", and of chunks lost on the way.
var (
	perfSamples = regexp.MustCompile(`\((\d+) samples\)`)
	perfLost    = regexp.MustCompile(`lost \d+ chunks`)
)

func contains(file, text string) bool {
	content, err := os.ReadFile(file)
	return err == nil && bytes.Contains(content, []byte(text))
}
