// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// TestInterrupts looks at whether a clock ticks on while its CPU is held.
func TestInterrupts(t *testing.T) {
	for class, ticking := range map[Class]bool{
		BHOff: true, IRQOff: false, HardirqLong: false, OtherSoftirq: true, NETRXSlow: true, RTStarve: true,
	} {
		t.Run(string(class), func(t *testing.T) {
			const d = 50 * time.Millisecond
			b := open(t, class)
			ticks := newTicks(t)
			keepBusy(t, 4*d)
			truth, err := b.Inject(d)
			if err != nil {
				t.Fatal(err)
			}
			n := ticks.within(t, truth.Start, truth.End)
			if !ticking && n > 0 || ticking && n < int(d/time.Millisecond)/2 {
				t.Errorf("the clock ticked %d times in %s", n, d)
			}
		})
	}
}

// keepBusy gives receiveCPU something to do: an idle CPU's clock may run no program.
func keepBusy(t *testing.T, d time.Duration) {
	t.Helper()
	logs, release, err := share[spinLog](1)
	if err != nil {
		t.Fatal(err)
	}
	logs[0].from = clock()
	s, ended := &spinner{hold: d, log: &logs[0]}, make(chan error)
	go func() { ended <- newChild("inject-busy", receiveCPU, maxNice, work{spin: s}).run(nil) }()
	t.Cleanup(func() {
		if err := errors.Join(<-ended, release()); err != nil {
			t.Error(err)
		}
	})
	if err := await("busy process", patience, func() (bool, error) { return logs[0].start != 0, nil }); err != nil {
		t.Fatal(err)
	}
}

// ticks are the times at which a clock of receiveCPU has ticked.
type ticks struct {
	reader *ringbuf.Reader
}

func newTicks(t *testing.T) *ticks {
	t.Helper()
	ring, err := ebpf.NewMap(&ebpf.MapSpec{Name: "ticks", Type: ebpf.RingBuf, MaxEntries: 1 << 16})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ring.Close() })
	const noWakeup = 1 // BPF_RB_NO_WAKEUP
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "tick", Type: ebpf.PerfEvent, License: "Apache-2.0",
		Instructions: asm.Instructions{
			asm.FnKtimeGetNs.Call(),
			asm.StoreMem(asm.R10, -8, asm.R0, asm.DWord),
			asm.LoadMapPtr(asm.R1, ring.FD()),
			asm.Mov.Reg(asm.R2, asm.R10), asm.Add.Imm(asm.R2, -8),
			asm.Mov.Imm(asm.R3, 8), asm.Mov.Imm(asm.R4, noWakeup),
			asm.FnRingbufOutput.Call(),
			asm.Mov.Imm(asm.R0, 0), asm.Return(),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	event, err := openClock(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(event) })
	if err := unix.IoctlSetInt(event, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		t.Fatal(err)
	}
	reader, err := ringbuf.NewReader(ring)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return &ticks{reader}
}

// within counts ticks between two times.
func (c *ticks) within(t *testing.T, start, end time.Duration) (n int) {
	t.Helper()
	c.reader.SetDeadline(time.Now())
	for {
		record, err := c.reader.Read()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return n
		case err != nil:
			t.Fatal(err)
		}
		at := time.Duration(binary.NativeEndian.Uint64(record.RawSample))
		if at > start && at < end {
			n++
		}
	}
}
