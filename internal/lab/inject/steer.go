// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// steer has packets handled on receiveCPU by receive packet steering: the sender's
// CPU puts them into the other's backlog and interrupts it (enqueue_to_backlog,
// net_rps_send_ipi in net/core/dev.c).
func (b *Bench) steer() error {
	return setAttribute(b.net.Rx, "queues/rx-0/rps_cpus", fmt.Sprintf("%x", 1<<receiveCPU))
}

// thread has packets handled on receiveCPU by a NAPI thread of the device, instead
// of in a softirq. A veth device has NAPI only with an XDP program in its driver,
// or generic receive offload. Needs kernel 5.12+.
func (b *Bench) thread() error {
	rx := b.net.Rx
	err := rx.Do(func() error {
		l, err := link.AttachXDP(link.XDPOptions{
			Program: b.programs.Programs[injectProgPass], Interface: rx.Ifindex, Flags: link.XDPDriverMode,
		})
		if err != nil {
			return fmt.Errorf("attach XDP program to %s: %w", rx.Device, err)
		}
		b.onClose(l.Close)
		return nil
	})
	if err != nil {
		return err
	}
	if err := setAttribute(rx, "threaded", "1"); err != nil {
		return err
	}
	if b.napi, err = b.napiThread(); err != nil {
		return err
	}
	if err := b.Pin(receiveCPU); err != nil {
		return err
	}
	return b.setNice(minNice)
}

// Pin has the receiving device's NAPI thread run on some CPUs alone, at once. A bench
// starts with it pinned to the CPU that is held; the kernel leaves such threads unbound.
func (b *Bench) Pin(cpus ...int) error {
	if b.napi == 0 {
		return fmt.Errorf("pin NAPI thread of %s: %w", b.class, errors.ErrUnsupported)
	}
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(b.napi, &set); err != nil {
		return fmt.Errorf("pin NAPI thread %d to CPUs %v: %w", b.napi, cpus, err)
	}
	return nil
}

// napiThread finds the thread that packets arrive by. It is called after its NAPI
// (napi_kthread_create, net/core/dev.c), whose number a packet leaves on its socket.
func (b *Bench) napiThread() (tid int, err error) {
	if err := b.Start(); err != nil {
		return 0, err
	}
	err = await("first packet", patience, func() (bool, error) {
		var first Packet
		err := b.programs.find(&first)
		return first.Arrived != 0, err
	})
	_, stop := b.Stop()
	if err := errors.Join(err, stop); err != nil {
		return 0, err
	}
	id, err := unix.GetsockoptInt(b.traffic.sink, unix.SOL_SOCKET, unix.SO_INCOMING_NAPI_ID)
	if err != nil {
		return 0, fmt.Errorf("get NAPI of socket: %w", err)
	}
	return kernelThread(fmt.Sprintf("napi/%s-%d", b.net.Rx.Device, id))
}

// kernelThread finds a kernel thread by its full name, which /proc/PID/comm shows
// though the kernel's own comm is cut. Needs kernel 5.17+ for names over 15 bytes.
func kernelThread(name string) (tid int, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, fmt.Errorf("list processes: %w", err)
	}
	for _, entry := range entries {
		comm, err := os.ReadFile("/proc/" + entry.Name() + "/comm")
		if err != nil || strings.TrimSpace(string(comm)) != name {
			continue // no process, or gone meanwhile
		}
		if _, err := fmt.Sscan(entry.Name(), &tid); err != nil {
			return 0, fmt.Errorf("parse pid %q: %w", entry.Name(), err)
		}
		return tid, nil
	}
	return 0, fmt.Errorf("find thread %s: %w", name, errors.ErrUnsupported)
}
