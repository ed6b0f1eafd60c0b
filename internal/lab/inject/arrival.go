// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// packets returns the packets that the child has sent.
func (t *traffic) packets() []Packet {
	packets := make([]Packet, t.sender.log.sent)
	for i := range packets {
		p := &packets[i]
		p.Number, p.Protocol, p.Src, p.Dst = t.sender.first+i, unix.IPPROTO_UDP, t.src, t.dst
		p.Sent, p.Returned = t.sender.sent[i].start, t.sender.sent[i].end
		if isEcho(p.Number) {
			p.Protocol, p.EchoID = unix.IPPROTO_ICMP, echoID
			p.Src, p.Dst = netip.AddrPortFrom(t.src.Addr(), 0), netip.AddrPortFrom(t.dst.Addr(), 0)
		}
	}
	t.sender.first += len(packets)
	return packets
}

// settle waits for packets to arrive and completes them. One that never arrives is
// no error.
func (b *Bench) settle(packets []Packet) error {
	err := await("packets", transit, func() (bool, error) {
		missing := 0
		for i := range packets {
			p := &packets[i]
			if p.Arrived != 0 {
				continue
			}
			if err := b.programs.find(p); err != nil {
				return false, err
			}
			if p.Arrived == 0 {
				missing++
			}
		}
		return missing == 0, nil
	})
	drain(b.traffic.sink)
	drain(b.traffic.sender.echo)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// find notes when and where a packet was given to its socket, if it was. What an earlier
// burst left under its number is no arrival.
func (p *programs) find(packet *Packet) error {
	var a injectArrival
	if err := p.Maps[injectMapArrivals].Lookup(uint32(packet.Number), &a); err != nil {
		return fmt.Errorf("look up arrival of packet %d: %w", packet.Number, err)
	}
	if at := time.Duration(a.TimeNs); at >= packet.Sent {
		packet.Arrived, packet.CPU = at, int(a.Cpu)
	}
	return nil
}
