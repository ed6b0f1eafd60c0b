// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	interval   = time.Millisecond
	maxPackets = 65536 // of a bench, MAX_PACKETS in inject.bpf.c
)

// traffic is the packets from Tx to Rx by which a bench sees what it does.
type traffic struct {
	sender  sender
	src     netip.AddrPort
	dst     netip.AddrPort
	burst   []Packet   // of NETRXBudget, since Start
	sink    int        // socket that receives the datagrams
	ended   chan error // of the child that sends; nil if there is none
	release func() error
}

// newTraffic opens the sockets.
func (b *Bench) newTraffic() (err error) {
	t := &traffic{sender: sender{interval: interval, message: newMessage()}}
	t.src, t.dst = netip.AddrPortFrom(b.net.Tx.Addr4, srcPort), netip.AddrPortFrom(b.net.Rx.Addr4, dstPort)
	if t.sender.udp, err = b.connected(unix.SOCK_DGRAM, 0, maxPackets, t.src, t.dst); err != nil {
		return err
	}
	// A raw socket gets but a copy of each reply, and the reply itself is dropped.
	if err := b.net.Tx.Sysctl("ipv4/ping_group_range", "0 0"); err != nil {
		return err
	}
	src, dst := netip.AddrPortFrom(t.src.Addr(), echoID), netip.AddrPortFrom(t.dst.Addr(), 0)
	if t.sender.echo, err = b.connected(unix.SOCK_DGRAM, unix.IPPROTO_ICMP, maxPackets, src, dst); err != nil {
		return err
	}
	if t.sink, err = b.bound(t.dst, maxPackets); err != nil {
		return err
	}
	for _, fd := range []int{t.sink, t.sender.echo} {
		if err := b.noteArrivals(fd); err != nil {
			return err
		}
	}
	b.traffic = t
	b.onClose(func() error {
		if t.ended == nil {
			return nil
		}
		_, err := b.Stop()
		return err
	})
	return nil
}

// noteArrivals has the arrival of packets at a socket noted, by their numbers.
func (b *Bench) noteArrivals(fd int) error {
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ATTACH_BPF, b.programs.Programs[injectProgArrive].FD())
	if err != nil {
		return fmt.Errorf("attach BPF program to socket: %w", err)
	}
	return nil
}

// Start begins to send a packet each millisecond, until Stop is called or 65536
// have been sent from this bench. Each fifth is an echo request.
func (b *Bench) Start() error {
	t := b.traffic
	if t.ended != nil {
		return errors.New("start traffic: already started")
	}
	ended, err := t.start(maxPackets - t.sender.first)
	if err != nil {
		return fmt.Errorf("start traffic: %w", err)
	}
	t.ended, t.burst = ended, nil
	return nil
}

// start begins to send at most n packets.
func (t *traffic) start(n int) (ended chan error, err error) {
	logs, releaseLog, err := share[sendLog](1)
	if err != nil {
		return nil, err
	}
	sent, releaseSent, err := share[span](n)
	if err != nil {
		return nil, errors.Join(err, releaseLog())
	}
	t.sender.log, t.sender.sent = &logs[0], sent
	t.release = func() error { return errors.Join(releaseLog(), releaseSent()) }
	ended = make(chan error, 1)
	go func() { ended <- newChild("inject-sender", sendCPU, minNice, work{send: &t.sender}).run(nil) }()
	return ended, nil
}

// Stop ends what Start began, waits for the packets under way and returns all that
// were sent in between, in that order: those of the traffic, and of NETRXBudget those of
// its bursts.
func (b *Bench) Stop() ([]Packet, error) {
	t := b.traffic
	if t.ended == nil {
		return nil, errors.New("stop traffic: not started")
	}
	t.sender.log.stop = true
	err := <-t.ended
	t.ended = nil
	packets := t.packets()
	err = errors.Join(err, t.release())
	if err == nil {
		err = b.settle(packets)
	}
	if err != nil {
		return nil, fmt.Errorf("stop traffic: %w", err)
	}
	packets = append(packets, t.burst...)
	slices.SortStableFunc(packets, func(a, b Packet) int { return cmp.Compare(a.Sent, b.Sent) })
	return packets, nil
}
