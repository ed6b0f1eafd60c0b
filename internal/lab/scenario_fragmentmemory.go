// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"
)

// fragmentPort is where the datagram goes that takes the memory for fragments.
const fragmentPort = 20003

// ipFragmentMemory sends first fragments where the fragments of one other datagram have
// taken all the memory there is.
func ipFragmentMemory(s *Scene) error {
	s.expect.Frames = frames("ip_defrag")
	s.countBy(s.net.Rx, "snmp", "Ip.ReasmFails")
	src, dst := s.flow4()
	return s.fragmentMemory(src, dst, "ipv4/ipfrag_")
}

// ip6FragmentMemory does the same with IPv6.
func ip6FragmentMemory(s *Scene) error {
	s.expect.Frames = frames("ipv6_frag_rcv")
	s.countBy(s.net.Rx, "snmp6", "Ip6ReasmFails")
	src, dst, err := s.flow6()
	if err != nil {
		return err
	}
	return s.fragmentMemory(src, dst, "ipv6/ip6frag_")
}

func (s *Scene) fragmentMemory(src, dst netip.AddrPort, settings string) error {
	s.expect.Reasons = []string{"FRAG_REASM_NOMEM", "NOT_SPECIFIED"}
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	s.diesAt(s.net.Rx)
	err := s.net.Rx.sysctls(settings+"time", "3600", settings+"low_thresh", "0", settings+"high_thresh", "1")
	if err != nil {
		return err
	}
	send, err := s.sender(s.net.Tx)
	if err != nil {
		return err
	}
	first := fragment{src: src, dst: netip.AddrPortFrom(dst.Addr(), fragmentPort), id: 1, more: true}
	if err := s.occupy(send, first); err != nil {
		return err
	}
	// No fragment finds its datagram while memory is short (inet_frag_find).
	s.onClose(func() error { return s.net.Rx.Sysctl(settings+"high_thresh", "4194304") })
	id := uint32(1)
	s.each(func() error {
		id++
		return send(s.frame(fragment{src: src, dst: dst, id: id, more: true}.packet()))
	}, true)
	return nil
}

// occupy sends the first fragment of a datagram. Closing the scene sends the last, so that
// the datagram is complete and none of it is dropped.
func (s *Scene) occupy(send func([]byte) error, first fragment) error {
	if _, err := s.socket(s.net.Rx, unix.SOCK_DGRAM, first.dst); err != nil {
		return err
	}
	if err := Pinned(-1, func() error { return errors.Join(send(s.frame(first.packet())), s.fence.pass(context.Background())) }); err != nil {
		return err
	}
	s.onClose(func() error {
		last := first
		last.more = false
		return Pinned(-1, func() error { return errors.Join(send(s.frame(last.packet())), s.fence.pass(context.Background())) })
	})
	return nil
}

// frame is what carries a packet from Tx to Rx.
func (s *Scene) frame(packet []byte) []byte {
	return ethernet(s.net.Rx.MAC, s.net.Tx.MAC, versionType(packet), packet)
}

// A fragment is the first or the last half of a UDP datagram.
type fragment struct {
	src, dst netip.AddrPort
	id       uint32
	more     bool // it is the first
}

// packet returns the fragment as a packet.
func (f fragment) packet() []byte {
	datagram := udp(f.src, f.dst, make([]byte, 120))
	half, offset := datagram[:64], uint16(0)
	if !f.more {
		half, offset = datagram[64:], 64
	}
	if f.src.Addr().Is6() {
		if f.more {
			offset |= 1
		}
		header := binary.BigEndian.AppendUint16([]byte{unix.IPPROTO_UDP, 0}, offset)
		header = binary.BigEndian.AppendUint32(header, f.id)
		return ip(f.src.Addr(), f.dst.Addr(), unix.IPPROTO_FRAGMENT, append(header, half...))
	}
	p := ip(f.src.Addr(), f.dst.Addr(), unix.IPPROTO_UDP, half)
	binary.BigEndian.PutUint16(p[4:], uint16(f.id))
	offset /= 8
	if f.more {
		offset |= 0x2000
	}
	binary.BigEndian.PutUint16(p[6:], offset)
	sumIPv4(p)
	return p
}
