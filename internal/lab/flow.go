// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Ports of the packets that die. Others (fencePort) get through.
const (
	srcPort = 20001
	dstPort = 20002
)

// flow4 is the usual IPv4 flow, from Tx to Rx.
func (s *Scene) flow4() (src, dst netip.AddrPort) {
	return netip.AddrPortFrom(s.net.Tx.Addr4, srcPort), netip.AddrPortFrom(s.net.Rx.Addr4, dstPort)
}

// flow6 is the usual IPv6 flow, from Tx to Rx.
func (s *Scene) flow6() (src, dst netip.AddrPort, err error) {
	if !s.net.Rx.HasIPv6() {
		return src, dst, fmt.Errorf("use IPv6: %w", errors.ErrUnsupported)
	}
	src = netip.AddrPortFrom(s.net.Tx.Addr6, srcPort)
	return src, netip.AddrPortFrom(s.net.Rx.Addr6, dstPort), nil
}

// looksLike fills in what tells the packets that die from others.
func (s *Scene) looksLike(protocol uint8, src, dst netip.AddrPort) {
	s.expect.Ethertype, s.expect.Protocol = ethertype(src.Addr()), protocol
	s.expect.Src, s.expect.Dst = src, dst
}

func ethertype(addr netip.Addr) uint16 {
	if addr.Is4() {
		return unix.ETH_P_IP
	}
	return unix.ETH_P_IPV6
}

// wire has every packet die that is put on the wire towards Rx.
func (s *Scene) wire(packet []byte) error {
	return s.wireFrame(ethernet(s.net.Rx.MAC, s.net.Tx.MAC, versionType(packet), packet))
}

// wireFrame has every copy of a frame die that is put on the wire.
func (s *Scene) wireFrame(frame []byte) error {
	s.diesAt(s.net.Rx)
	send, err := s.sender(s.net.Tx)
	if err != nil {
		return err
	}
	s.each(func() error { return send(frame) }, true)
	return nil
}

// versionType is the ethertype for a packet that starts with an IP version; an
// unheard-of version goes as IPv4.
func versionType(packet []byte) uint16 {
	if packet[0]>>4 == 6 {
		return unix.ETH_P_IPV6
	}
	return unix.ETH_P_IP
}

// datagrams returns a function that sends one UDP datagram from a socket. An
// errno that is wanted is the caller's only sign that a packet died on its way out.
func (s *Scene) datagrams(src, dst netip.AddrPort, wanted error) (func() error, error) {
	fd, err := s.socket(s.net.Tx, unix.SOCK_DGRAM, src)
	if err != nil {
		return nil, err
	}
	return datagrams(fd, dst, wanted), nil
}

func datagrams(fd int, dst netip.AddrPort, wanted error) func() error {
	return datagramsOf(fd, dst, 64, wanted)
}

// datagramsOf does the same with a payload of so many bytes.
func datagramsOf(fd int, dst netip.AddrPort, bytes int, wanted error) func() error {
	to, payload := sockaddr(dst), make([]byte, bytes)
	return func() error {
		err := uninterrupted(func() error { return unix.Sendto(fd, payload, 0, to) })
		if !errors.Is(err, wanted) {
			return fmt.Errorf("send to %s: got error %v, want %v", dst, err, wanted)
		}
		return nil
	}
}
