// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// newHardirq makes the injector that holds the CPU in a timer interrupt: that of a
// clock, while it is enabled.
func (b *Bench) newHardirq() (injector, error) {
	clock, err := openClock(b.programs.Programs[injectProgHoldHardirq])
	if err != nil {
		return nil, err
	}
	b.onClose(func() error { return unix.Close(clock) })
	return func(d time.Duration) (Truth, error) { return b.hardirq(clock, d) }, nil
}

// openClock opens a perf event that runs a program each millisecond on receiveCPU,
// once it is enabled, in the interrupt of its timer.
func openClock(program *ebpf.Program) (fd int, err error) {
	attr := &unix.PerfEventAttr{
		Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_CPU_CLOCK,
		Sample: uint64(time.Millisecond), Bits: unix.PerfBitDisabled,
	}
	attr.Size = uint32(unsafe.Sizeof(*attr))
	fd, err = unix.PerfEventOpen(attr, -1, receiveCPU, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("open CPU clock event: %w", err)
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_BPF, program.FD()); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("attach BPF program to CPU clock event: %w", err)
	}
	return fd, nil
}

// hardirq has the clock's next interrupt last for d. An idle CPU's clock does not run
// the program on every kernel, so it is given something to interrupt.
func (b *Bench) hardirq(event int, d time.Duration) (truth Truth, err error) {
	logs, release, err := share[spinLog](1)
	if err != nil {
		return Truth{}, err
	}
	defer release()
	if err := b.programs.arm(d); err != nil {
		return Truth{}, err
	}
	if err := unix.IoctlSetInt(event, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		return Truth{}, fmt.Errorf("enable CPU clock event: %w", err)
	}
	defer func() { err = errors.Join(err, unix.IoctlSetInt(event, unix.PERF_EVENT_IOC_DISABLE, 0)) }()
	logs[0].from = clock()
	prey := &spinner{hold: 5 * time.Millisecond, log: &logs[0]}
	if err := newChild("inject-prey", receiveCPU, minNice, work{spin: prey}).run(nil); err != nil {
		return Truth{}, err
	}
	return b.programs.window(1, Truth{Function: "perf_swevent_hrtimer"})
}

// otherSoftirq sets off a timer on receiveCPU. A timer stays on the CPU that it was
// started on if that is not idle (get_nohz_timer_target, kernel/sched/core.c).
func (b *Bench) otherSoftirq(d time.Duration) (Truth, error) {
	if err := b.programs.arm(d); err != nil {
		return Truth{}, err
	}
	c := newChild("inject-timer", receiveCPU, 0, work{run: newTestRun(b.programs.Programs[injectProgHoldSoftirq])})
	if err := c.run(nil); err != nil {
		return Truth{}, err
	}
	return b.programs.window(1, Truth{Function: "bpf_timer_cb"})
}
