// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Pinned runs f on one CPU, or on whichever it is now if cpu is negative. Packets
// over a veth pair then pass through one backlog queue, in order. Fragments of a datagram
// that more than 64 others overtake are thrown away (ip_frag_too_far in net/ipv4/ip_fragment.c).
func Pinned(cpu int, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, only unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("get CPU affinity: %w", err)
	}
	if cpu < 0 {
		var err error
		if cpu, err = currentCPU(); err != nil {
			return err
		}
	}
	only.Set(cpu)
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		return fmt.Errorf("pin thread to CPU %d: %w", cpu, err)
	}
	defer unix.SchedSetaffinity(0, &before)
	return f()
}

// currentCPU is getcpu(2).
func currentCPU() (int, error) {
	var cpu uint32
	_, _, errno := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0)
	if errno != 0 {
		return 0, fmt.Errorf("get current CPU: %w", errno)
	}
	return int(cpu), nil
}
