// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/softirq"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// defaultThreshold is how long packets may wait on a CPU before that is a stall.
const defaultThreshold = softirq.DefaultThreshold

// btfUsage describes the flag --btf of all commands that trace.
const btfUsage = "file of the kernel's types, where /sys/kernel/btf/vmlinux is missing"

type stallFlags struct {
	threshold, duration time.Duration
	format, btf         string
	verbose             bool
}

func newStalls(s streams) *cobra.Command {
	var flags stallFlags
	cmd := &cobra.Command{
		Use:   "stalls [flags] [FILE]",
		Short: "Name what keeps packets waiting on a CPU",
		Long: `Watches, until interrupted or until the duration is over, for CPUs that leave
received packets waiting (NET_RX, or a NAPI thread) for longer than the threshold, and
names what held the CPU: a process with its system call and file, an interrupt or
timer by its handler, another softirq, real-time tasks, the hypervisor.

Each stall is a block: the sentence; the verdict and how sure it is; where the time of
the window went; the stack that was seen; the packets that were late. At the end come
tables by culprit, and how long NET_RX waited and ran on each CPU.

With FILE it shows the stalls of a recording instead; - is standard input.`,
		Example: `  sudo dropwatch stalls
  sudo dropwatch stalls --threshold 20ms -d 1m
  sudo dropwatch stalls -f json | jq -r .sentence
  dropwatch stalls drops.jsonl.zst`,
		DisableFlagsInUseLine: true,
		Args:                  usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.format != "text" && flags.format != "json" {
				return usageError{fmt.Errorf("unknown format %q: choose text or json", flags.format)}
			}
			if len(args) > 0 {
				if err := onlyLive(cmd, "duration", "btf"); err != nil {
					return err
				}
				if !cmd.Flags().Changed("threshold") {
					flags.threshold = 0 // that of the recording
				}
				return withRecording(s, args, func(src event.Source) error { return showStalls(s, src, flags, nil) })
			}
			return watchStalls(cmd.Context(), s, flags)
		},
	}
	f := cmd.Flags()
	thresholdVar(f, &flags.threshold, "threshold", "report packets that wait this long on a CPU; with FILE the default is that of the recording")
	durationVar(f, &flags.duration, "how long to watch; 0: until interrupted")
	f.StringVarP(&flags.format, "format", "f", "text", "text or json (one object a line)")
	f.StringVar(&flags.btf, "btf", "", btfUsage)
	f.BoolVarP(&flags.verbose, "verbose", "v", false, "show all late packets, frames and parts of the window, and why windows were dismissed")
	return cmd
}

// stallPrinter writes stalls as they come, and sums at the end.
type stallPrinter struct {
	flags   stallFlags
	out     io.Writer
	options report.StallOptions
	meta    *event.Meta
	json    *json.Encoder
	text    []byte
	failed  bool   // to write
	told    uint64 // records
	sums    *report.Stalls
}

func newStallPrinter(s streams, meta *event.Meta, flags stallFlags) *stallPrinter {
	p := &stallPrinter{flags: flags, out: s.out, meta: meta, sums: report.NewStalls()}
	p.options = report.StallOptions{Color: s.color.on(s.out), Packets: 5, Frames: 12, Parts: 4}
	if flags.verbose {
		p.options.Packets, p.options.Frames, p.options.Parts = 0, 0, 0
	}
	p.json = json.NewEncoder(s.out)
	p.json.SetEscapeHTML(false)
	return p
}

func (p *stallPrinter) show(s *stall.Stall) (err error) {
	p.sums.Add(s)
	if p.flags.format == "json" {
		err = report.EncodeStall(p.json, p.meta, s)
	} else {
		p.text = report.AppendStall(p.text[:0], p.meta, s, p.options)
		_, err = p.out.Write(p.text)
	}
	p.failed = err != nil
	return err
}

// end writes the sums, unless show could not write. times may be nil: a recording has none.
func (p *stallPrinter) end(times []event.SoftirqTimes, loss *event.StallLoss, windows softirq.Stats) error {
	if p.flags.format == "json" || p.failed {
		return nil
	}
	var b bytes.Buffer
	if err := p.sums.Write(&b, p.flags.threshold, 0); err != nil {
		return err
	}
	var table bytes.Buffer
	if err := report.WriteSoftirqTimes(&table, times); err != nil {
		return err
	}
	if table.Len() > 0 {
		fmt.Fprintf(&b, "\n%s", &table)
	}
	if loss != nil {
		fmt.Fprintf(&b, "\n%s\n", report.StallAccounting(loss, p.told))
	}
	if p.flags.verbose {
		fmt.Fprintf(&b, "\n%s\n", report.StallWindows(windows))
	}
	_, err := p.out.Write(b.Bytes())
	return err
}

// showStalls prints the stalls of a source; times tells at the end how long NET_RX
// waited and ran, if it is known.
func showStalls(s streams, src event.Source, flags stallFlags, times func() []event.SoftirqTimes) error {
	meta := src.Meta()
	config := softirq.ConfigOf(meta)
	recorded := cmp.Or(config.Threshold, defaultThreshold)
	flags.threshold = cmp.Or(flags.threshold, recorded)
	if flags.threshold < recorded {
		fmt.Fprintf(s.err, "note: recorded with a threshold of %v: of shorter waits it holds few\n", recorded)
	}
	config.Threshold, config.Hint = flags.threshold, stallHint(times != nil)
	printer := newStallPrinter(s, meta, flags)
	tracker := softirq.New(config)
	var loss *event.StallLoss
	err := profile.Each(src, func(e event.Event) error {
		if end, ok := e.(*event.End); ok {
			loss = end.Stalls
		} else if report.IsStallRecord(e) {
			printer.told++
		}
		if found := tracker.Add(e); found != nil {
			return printer.show(found)
		}
		return nil
	})
	if cut, ok := event.AsCut(err); ok {
		warnCut(s, cut)
		err = nil
	}
	var known []event.SoftirqTimes
	if times != nil {
		known = times()
	}
	return errors.Join(err, printer.end(known, loss, tracker.Stats()))
}
