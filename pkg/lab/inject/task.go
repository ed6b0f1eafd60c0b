// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import "time"

// bhOff runs a program in a system call in which the kernel disables bottom halves
// around each run (bpf_test_run, net/bpf/test_run.c).
func (b *Bench) bhOff(d time.Duration) (Truth, error) {
	return b.holdInTask(d, injectProgHoldBhOff, "inject-bh-off", "bpf_test_run")
}

// irqOff runs a program that disables interrupts itself.
func (b *Bench) irqOff(d time.Duration) (Truth, error) {
	return b.holdInTask(d, injectProgHoldIrqOff, "inject-irq-off", "bpf_prog_test_run_syscall")
}

// holdInTask runs a program in a process on receiveCPU.
func (b *Bench) holdInTask(d time.Duration, program, comm, function string) (Truth, error) {
	if err := b.programs.arm(d); err != nil {
		return Truth{}, err
	}
	truth := Truth{Comm: comm, Function: function}
	c := newChild(comm, receiveCPU, 0, work{run: newTestRun(b.programs.Programs[program])})
	if err := c.run(func(pid int) { truth.PID, truth.TID = pid, pid }); err != nil {
		return Truth{}, err
	}
	return b.programs.window(1, truth)
}
