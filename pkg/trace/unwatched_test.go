// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
)

// A witness is a BPF program of the test's own, which notes when it runs. What perf saw
// and the witness did not, no BPF program was run for: some machines keep programs from
// running while they protect a process.
type witness struct {
	ring  *ebpf.Map
	links []link.Link
}

// moment is an event on a CPU.
type moment struct {
	cpu  int
	at   time.Duration
	kind int64
}

// The kinds of moments.
const (
	momentSwitch = iota
	momentEntry
	momentExit
)

func newWitness(t *testing.T) *witness {
	t.Helper()
	w := &witness{}
	t.Cleanup(w.close)
	var err error
	if w.ring, err = ebpf.NewMap(&ebpf.MapSpec{Name: "moments", Type: ebpf.RingBuf, MaxEntries: 64 << 20}); err != nil {
		t.Fatal(err)
	}
	for kind, tracepoint := range []string{"sched_switch", "softirq_entry", "softirq_exit"} {
		const noWakeup = 1 // BPF_RB_NO_WAKEUP
		program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
			Name: "witness", Type: ebpf.RawTracepoint, License: "GPL",
			Instructions: asm.Instructions{
				asm.FnKtimeGetNs.Call(),
				asm.StoreMem(asm.R10, -24, asm.R0, asm.DWord),
				asm.FnGetSmpProcessorId.Call(),
				asm.StoreMem(asm.R10, -16, asm.R0, asm.DWord),
				asm.Mov.Imm(asm.R1, int32(kind)),
				asm.StoreMem(asm.R10, -8, asm.R1, asm.DWord),
				asm.LoadMapPtr(asm.R1, w.ring.FD()),
				asm.Mov.Reg(asm.R2, asm.R10), asm.Add.Imm(asm.R2, -24),
				asm.Mov.Imm(asm.R3, 24), asm.Mov.Imm(asm.R4, noWakeup),
				asm.FnRingbufOutput.Call(),
				asm.Mov.Imm(asm.R0, 0), asm.Return(),
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: tracepoint, Program: program})
		program.Close()
		if err != nil {
			t.Fatal(err)
		}
		w.links = append(w.links, l)
	}
	return w
}

func (w *witness) close() {
	for _, l := range w.links {
		l.Close()
	}
	w.links = nil
	if w.ring != nil {
		w.ring.Close()
	}
}

// moments returns when the program ran, in the order of the CPUs' times.
func (w *witness) moments(t *testing.T) (all []moment) {
	t.Helper()
	for _, l := range w.links {
		l.Close()
	}
	w.links = nil
	reader, err := ringbuf.NewReader(w.ring)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	reader.SetDeadline(time.Now())
	for {
		record, err := reader.Read()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			slices.SortFunc(all, func(a, b moment) int { return int(a.at - b.at) })
			return all
		case err != nil:
			t.Fatal(err)
		}
		word := func(i int) int64 { return int64(binary.NativeEndian.Uint64(record.RawSample[8*i:])) }
		all = append(all, moment{int(word(1)), time.Duration(word(0)), word(2)})
	}
}

// unwatched returns which of perf's moments the witness has not.
func unwatched(perf, witness []moment) (missing []moment) {
	const apart = 200 * time.Microsecond // the two are told one after the other
	for _, p := range perf {
		first, _ := slices.BinarySearchFunc(witness, p.at-apart, func(m moment, at time.Duration) int { return int(m.at - at) })
		seen := false
		for _, m := range witness[first:] {
			if m.at > p.at+apart {
				break
			}
			if m.cpu == p.cpu && m.kind == p.kind {
				seen = true
				break
			}
		}
		if !seen {
			missing = append(missing, p)
		}
	}
	return missing
}
