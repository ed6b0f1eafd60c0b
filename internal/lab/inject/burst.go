// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

const (
	// cost is how long each packet of a burst takes that only its number makes slow.
	cost = 20 * time.Microsecond

	// maxBurst is how many packets a burst has at most, MAX_BURST in inject.bpf.c.
	maxBurst = int(MaxHold / cost)
)

// A burst sends packets that hold their receiver's CPU, in a tc program on its device.
type burst struct {
	*Bench
	source, sink int // sockets
}

// newBurst makes the injector of the classes whose packets hold the CPU themselves.
func (b *Bench) newBurst() (injector, error) {
	rx := b.net.Rx
	err := rx.Do(func() error {
		l, err := link.AttachTCX(link.TCXOptions{
			Interface: rx.Ifindex, Program: b.programs.Programs[injectProgHoldReceive], Attach: ebpf.AttachTCXIngress,
		})
		if err != nil {
			return fmt.Errorf("attach tc program to %s: %w", rx.Device, lacking(err))
		}
		b.onClose(l.Close)
		return nil
	})
	if err != nil {
		return nil, err
	}
	burst := &burst{Bench: b}
	if burst.source, err = b.newSource(maxBurst); err != nil {
		return nil, err
	}
	_, dst := b.slowFlow()
	if burst.sink, err = b.bound(dst, maxBurst); err != nil {
		return nil, err
	}
	if b.class == NETRXSlow {
		return burst.slow, nil
	}
	return burst.many, b.noteArrivals(burst.sink)
}

// newSource opens a socket that sends datagrams to slowPort.
func (b *Bench) newSource(room int) (fd int, err error) {
	src, dst := b.slowFlow()
	return b.connected(unix.SOCK_DGRAM, 0, room, src, dst)
}

// slowFlow is the addresses of datagrams that hold the CPU.
func (b *Bench) slowFlow() (src, dst netip.AddrPort) {
	return netip.AddrPortFrom(b.net.Tx.Addr4, slowPort), netip.AddrPortFrom(b.net.Rx.Addr4, slowPort)
}

// slow sends one packet that takes d.
func (b *burst) slow(d time.Duration) (Truth, error) {
	truth, _, err := b.send(1, d)
	truth.Function = "process_backlog"
	return truth, err
}

// many sends as many packets at once as take d one after the other. After each 64
// (net.core.dev_weight) the budget is used up, net_rx_action ends and raises itself
// again; after 2 ms (MAX_SOFTIRQ_TIME, kernel/softirq.c) it is left to ksoftirqd.
func (b *burst) many(d time.Duration) (truth Truth, err error) {
	for name, value := range map[string]int{"netdev_budget": 1, "netdev_max_backlog": 2 * maxBurst} {
		restore, err := override(name, strconv.Itoa(value))
		if err != nil {
			return Truth{}, err
		}
		defer func() { err = errors.Join(err, restore()) }()
	}
	truth, packets, err := b.send(max(1, int(d/cost)), cost)
	if err != nil {
		return Truth{}, err
	}
	truth.Start, truth.Function = packets[0].Sent, "net_rx_action"
	err = b.settle(packets)
	b.traffic.burst = append(b.traffic.burst, packets...)
	return truth, err
}

// send sends packets that take so long each, and waits until they have held the CPU.
func (b *burst) send(n int, each time.Duration) (truth Truth, packets []Packet, err error) {
	if err := b.programs.arm(each); err != nil {
		return Truth{}, nil, err
	}
	sent, release, err := share[span](n)
	if err != nil {
		return Truth{}, nil, err
	}
	defer release()
	s := &sender{udp: b.source, echo: -1, first: maxPackets, log: &sendLog{}, sent: sent}
	if err := newChild("inject-burst", sendCPU, minNice, work{send: s}).run(nil); err != nil {
		return Truth{}, nil, err
	}
	truth, err = b.programs.window(n, Truth{Device: b.net.Rx.Device})
	drain(b.sink)
	src, dst := b.slowFlow()
	for i, at := range sent {
		p := Packet{Number: s.first + i, Protocol: unix.IPPROTO_UDP, Src: src, Dst: dst, Sent: at.start, Returned: at.end}
		packets = append(packets, p)
	}
	return truth, packets, err
}
