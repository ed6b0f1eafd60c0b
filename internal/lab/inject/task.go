// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"errors"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// newBHOff makes the injector that sends a packet: the kernel disables bottom halves in
// __dev_queue_xmit (net/core/dev.c), which runs the device's tc program.
func (b *Bench) newBHOff() (injector, error) {
	if err := b.net.Tx.Classify(netlink.HANDLE_MIN_EGRESS, b.programs.Programs[injectProgHoldBhOff]); err != nil {
		return nil, err
	}
	source, err := b.newSource(1)
	if err != nil {
		return nil, err
	}
	return func(d time.Duration) (Truth, error) {
		sent, release, err := share[span](1)
		if err != nil {
			return Truth{}, err
		}
		defer release()
		s := &sender{udp: source, echo: -1, log: &sendLog{}, sent: sent}
		return b.holdInTask(d, work{send: s}, Truth{Comm: "inject-bh-off", Function: "__dev_queue_xmit"})
	}, nil
}

// newLongSyscall makes the injector that reads a file, which takes long. Packets wait for
// it once ksoftirqd is woken, as it is where a softirq has raised itself ten times
// (MAX_SOFTIRQ_RESTART, kernel/softirq.c): net_rx_action does after each packet here.
func (b *Bench) newLongSyscall() (injector, error) {
	read, err := b.newRead(injectProgHoldRead, "inject-read")
	if err != nil {
		return nil, err
	}
	return func(d time.Duration) (truth Truth, err error) {
		for _, name := range []string{"netdev_budget", "dev_weight"} {
			restore, err := override(name, "1")
			if err != nil {
				return Truth{}, err
			}
			defer func() { err = errors.Join(err, restore()) }()
		}
		return read(d)
	}, nil
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
