// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"time"

	"github.com/cilium/ebpf/features"
)

// MaxHold is the longest time an injector may be asked for.
const MaxHold = time.Second

// A Class is a way to keep NET_RX waiting, called like the verdict on it.
type Class string

// The classes there are. In all but the last two packets are handled in the NET_RX
// softirq of the held CPU; in those by a NAPI thread, which has a queue of 256
// packets (VETH_RING_SIZE, drivers/net/veth.c): what comes in a longer time is lost.
const (
	// BHOff is a process that sends a packet, in which the kernel has bottom halves disabled.
	BHOff Class = "BH_OFF"
	// LongSyscall is a process in a long read() of a file, on kernels before 6.5: packets
	// wait from when ksoftirqd was woken, which may be some time after the start.
	LongSyscall Class = "LONG_SYSCALL"
	// IRQOff is a process in a long read() of a file, in which the kernel has
	// interrupts disabled. Needs kernel 6.15+.
	IRQOff Class = "IRQ_OFF"
	// HardirqLong is a timer interrupt that takes long.
	HardirqLong Class = "HARDIRQ_LONG"
	// OtherSoftirq is a timer in the HRTIMER softirq that takes long.
	OtherSoftirq Class = "OTHER_SOFTIRQ"
	// NETRXSlow is a packet that takes long in net_rx_action itself. Needs kernel 6.6+.
	NETRXSlow Class = "NETRX_SLOW"
	// NETRXBudget is a burst of packets and a budget of one: most of them, and those
	// behind them, wait for ksoftirqd, many times over. Needs kernel 6.6+.
	NETRXBudget Class = "NETRX_BUDGET"
	// RTStarve is a real-time process on the CPU of a device's NAPI thread.
	RTStarve Class = "RT_STARVE"
	// CPUContention is ordinary processes on the CPU of a device's NAPI thread. The
	// thread may get through: in most windows of 50 ms or more it waits for most of it.
	CPUContention Class = "CPU_CONTENTION"
)

// Classes returns the classes that this kernel can show.
func Classes() []Class {
	version, err := features.LinuxVersionCode()
	switch {
	case err == nil && version < timersFrom:
		return []Class{BHOff, LongSyscall}
	case err == nil && version < longSyscallUntil:
		return []Class{BHOff, LongSyscall, OtherSoftirq}
	}
	return []Class{BHOff, IRQOff, HardirqLong, OtherSoftirq, NETRXSlow, NETRXBudget, RTStarve, CPUContention}
}

// Kernels as KERNEL_VERSION has them.
const (
	// timersFrom is the first that has bpf_timer_start: b00628b1c7d5, 5.15.
	timersFrom = 5<<16 | 15<<8
	// longSyscallUntil is the first on which softirqs do not wait for ksoftirqd, 6.5:
	// d15121be7485 ("Revert \"softirq: Let ksoftirqd do its job\"").
	longSyscallUntil = 6<<16 | 5<<8
)

// A Truth is what an injector did.
type Truth struct {
	Class Class
	CPU   int

	// The window, CLOCK_MONOTONIC. The injector read the clock at both ends while it
	// held the CPU, which it did for some microseconds more. For NETRXBudget it is
	// from before the first packet of the burst was sent until the last one came.
	Start, End time.Duration

	// The task that held the CPU: process, thread, and its name; one of several for
	// CPUContention. Zero where no task is at fault, but an interrupt, a softirq, or
	// the packets themselves.
	PID, TID int
	Comm     string

	// Function is the kernel's that did it, to be seen on a stack taken in the
	// window (of IRQOff and HardirqLong, by non-maskable interrupts only); empty if
	// the window was spent in user space.
	Function string
	// File is the path, as the kernel spells it, of the file that the task read for
	// the whole window, if it did that.
	File string
	// Device is that of the packets, where they themselves or its NAPI thread matter.
	Device string
}
