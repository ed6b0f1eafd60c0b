// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
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
	momentRaise
	momentWake
	momentMove
	momentQueued
	momentHandled
)

// isPacket reports whether a moment is an event of one packet.
func (m moment) isPacket() bool { return m.kind >= momentQueued }

func newWitness(t *testing.T) *witness {
	t.Helper()
	w := &witness{}
	t.Cleanup(w.close)
	var err error
	if w.ring, err = ebpf.NewMap(&ebpf.MapSpec{Name: "moments", Type: ebpf.RingBuf, MaxEntries: 64 << 20}); err != nil {
		t.Fatal(err)
	}
	for kind, tracepoint := range []string{
		"sched_switch", "softirq_entry", "softirq_exit", "softirq_raise", "sched_wakeup", "sched_migrate_task",
		"netif_rx", "netif_receive_skb",
	} {
		const noWakeup = 1 // BPF_RB_NO_WAKEUP
		var only asm.Instructions
		if strings.HasPrefix(tracepoint, "softirq_") { // of NET_RX
			only = asm.Instructions{asm.LoadMem(asm.R2, asm.R1, 0, asm.DWord), asm.Mov.Imm(asm.R0, 0), asm.JNE.Imm(asm.R2, 3, "end")}
		}
		program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
			Name: "witness", Type: ebpf.RawTracepoint, License: "GPL",
			Instructions: append(only, asm.Instructions{
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
				asm.Mov.Imm(asm.R0, 0).WithSymbol("end"), asm.Return(),
			}...),
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

// unwatched returns which of perf's moments the witness has not, each of whose stands for
// one of perf's. Both are in the order of time.
func unwatched(perf, witness []moment) (missing []moment) {
	const apart = 20 * time.Microsecond // the two are reported one after the other
	type place struct {
		cpu  int
		kind int64
	}
	seen := map[place][]time.Duration{}
	for _, m := range witness {
		at := place{m.cpu, m.kind}
		seen[at] = append(seen[at], m.at)
	}
	for _, p := range perf {
		at := place{p.cpu, p.kind}
		left := seen[at]
		for len(left) > 0 && left[0] < p.at-apart {
			left = left[1:]
		}
		if len(left) > 0 && left[0] <= p.at+apart {
			left = left[1:]
		} else {
			missing = append(missing, p)
		}
		seen[at] = left
	}
	return missing
}

func TestUnwatched(t *testing.T) {
	at := func(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
	perf := []moment{{0, at(100), momentWake}, {1, at(110), momentWake}, {0, at(120), momentWake}, {0, at(1000), momentSwitch}}
	witness := []moment{{0, at(105), momentWake}, {1, at(112), momentSwitch}, {0, at(1001), momentSwitch}}
	want := []moment{{1, at(110), momentWake}, {0, at(120), momentWake}}
	if got := unwatched(perf, witness); !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
}
