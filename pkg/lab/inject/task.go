// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"time"

	"golang.org/x/sys/unix"
)

// bhOff runs a program in a system call in which the kernel disables bottom halves
// around each run (bpf_test_run, net/bpf/test_run.c).
func (b *Bench) bhOff(d time.Duration) (Truth, error) {
	run := newTestRun(b.programs.Programs[injectProgHoldBhOff])
	return b.holdInTask(d, work{run: run}, Truth{Comm: "inject-bh-off", Function: "bpf_test_run"})
}

// newLongSyscall makes the injector that reads a file, which takes long.
func (b *Bench) newLongSyscall() (injector, error) {
	return b.newRead(injectProgHoldRead, "inject-read")
}

// newIRQOff makes the injector that reads a file, with interrupts disabled.
func (b *Bench) newIRQOff() (injector, error) {
	return b.newRead(injectProgHoldIrqOff, "inject-irq-off")
}

// newRead makes an injector that reads a file in a process on receiveCPU; the kernel
// runs the program to make its text.
func (b *Bench) newRead(program, comm string) (injector, error) {
	file, err := newSlowFile(b.programs.Programs[program])
	if err != nil {
		return nil, err
	}
	b.onClose(file.close)
	return func(d time.Duration) (Truth, error) {
		fd, path, err := file.open()
		if err != nil {
			return Truth{}, err
		}
		defer unix.Close(fd)
		return b.holdInTask(d, work{read: &reader{fd: fd}}, Truth{Comm: comm, Function: "bpf_seq_read", File: path})
	}, nil
}

// holdInTask has a process on receiveCPU do the work in which a program holds the CPU.
func (b *Bench) holdInTask(d time.Duration, w work, truth Truth) (Truth, error) {
	if err := b.programs.arm(d); err != nil {
		return Truth{}, err
	}
	c := newChild(truth.Comm, receiveCPU, 0, w)
	if err := c.run(func(pid int) { truth.PID, truth.TID = pid, pid }); err != nil {
		return Truth{}, err
	}
	return b.programs.window(1, truth)
}
