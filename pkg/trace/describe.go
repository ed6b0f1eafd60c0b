// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/privilege"
	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// describe returns the description of a recording that starts now.
func describe(config Config, cpus int) event.Meta {
	var name unix.Utsname
	_ = unix.Uname(&name) // fails only for an invalid address
	notes, _ := os.ReadFile("/sys/kernel/notes")
	start, mono := time.Now(), clock(unix.CLOCK_MONOTONIC)
	return event.Meta{
		Kernel:  unix.ByteSliceToString(name.Release[:]),
		BuildID: symbolize.BuildID(notes),
		Arch:    runtime.GOARCH, Host: unix.ByteSliceToString(name.Nodename[:]), CPUs: cpus,
		Command: os.Args,
		Start:   start, StartMono: mono, Boot: start.Add(-clock(unix.CLOCK_BOOTTIME)),
		UnwindBudget: config.UnwindBudget, Exact: config.Exact, Snaplen: config.Snaplen,
	}
}

func clock(id int32) time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(id, &now) // fails only for an unknown clock
	return time.Duration(now.Nano())
}

// readSymbols starts to read the kernel's symbols in the background, which takes as long as
// loading the programs. The returned function waits for them, and adds their range or a note
// to the description.
func readSymbols() func(*event.Meta) symbols {
	type result struct {
		kernel *symbolize.Kernel
		err    error
	}
	done := make(chan result, 1)
	go func() {
		kernel, err := symbolize.ReadKernel(os.DirFS("/"), listPrograms)
		done <- result{kernel, err}
	}()
	return func(meta *event.Meta) symbols {
		r := <-done
		switch {
		case r.err != nil:
			meta.Notes = append(meta.Notes, "no symbols: "+r.err.Error())
			return nameless{}
		case r.kernel.Hidden():
			meta.Notes = append(meta.Notes, "no symbols: the kernel hides its addresses: "+privilege.HiddenSymbols(os.DirFS("/")))
			return nameless{}
		}
		text := r.kernel.Text()
		meta.Text = event.Range{Start: event.Address(text.Start), End: event.Address(text.End)}
		return r.kernel
	}
}

// nameless replaces the kernel's symbols if they cannot be read.
type nameless struct{}

func (nameless) Lookup(uint64) (symbolize.Symbol, bool) { return symbolize.Symbol{}, false }

func (nameless) Find(string) (uint64, bool) { return 0, false }

// mostFrames returns the largest number of frames that the kernel unwinds.
func mostFrames() int {
	const most = len(bpf.DropRecord{}.Stack)
	text, err := os.ReadFile("/proc/sys/kernel/perf_event_max_stack")
	if err != nil {
		return most
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return most
	}
	return min(n, most)
}
