// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// udpScenarios are deaths in UDP.
func udpScenarios() []Scenario {
	return []Scenario{
		{Name: "udp-closed-port", Doc: "datagrams to a port nobody listens on", prepare: udpClosedPort},
		{Name: "udp6-closed-port", Doc: "datagrams to a port nobody listens on, IPv6", prepare: udp6ClosedPort},
		{Name: "udp6-extension-headers", Doc: "the same behind hop-by-hop and destination options", prepare: udp6ExtensionHeaders},
		{Name: "udp-bad-checksum", Doc: "a bad UDP checksum", prepare: udpBadChecksum},
		{Name: "udp-socket-full", Doc: "a socket whose reader is too slow", prepare: udpSocketFull},
		{Name: "vxlan-no-target", Doc: "packets to an overlay network without a forwarding entry or a remote", prepare: vxlanNoTarget},
		{Name: "vxlan-unknown", Doc: "VXLAN packets of a network the receiver does not know", prepare: vxlanUnknown},
		{Name: "socket-filter", Doc: "a filter program on the receiving socket", prepare: socketFilter},
	}
}

func udpClosedPort(s *Scene) error {
	s.expect.Reasons = []string{"NO_SOCKET"}
	// udp_rcv calls __udp4_lib_rcv last and may have left the stack.
	s.expect.Frames = [][]string{{"__udp4_lib_rcv", "udp_rcv"}}
	s.countBy(s.net.Rx, "snmp", "Udp.NoPorts")
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	return s.receives(s.datagrams(src, dst, nil))
}

func udp6ClosedPort(s *Scene) error {
	s.expect.Reasons = []string{"NO_SOCKET"}
	s.expect.Frames = [][]string{{"__udp6_lib_rcv", "udpv6_rcv"}}
	s.countBy(s.net.Rx, "snmp6", "Udp6NoPorts")
	src, dst, err := s.flow6()
	if err != nil {
		return err
	}
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	return s.receives(s.datagrams(src, dst, nil))
}

func udp6ExtensionHeaders(s *Scene) error {
	s.expect.Reasons = []string{"NO_SOCKET"}
	s.expect.Frames = [][]string{{"__udp6_lib_rcv", "udpv6_rcv"}}
	s.countBy(s.net.Rx, "snmp6", "Udp6NoPorts")
	src, dst, err := s.flow6()
	if err != nil {
		return err
	}
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	segment := options(unix.IPPROTO_DSTOPTS, options(unix.IPPROTO_UDP, udp(src, dst, nil)))
	return s.wire(ip(src.Addr(), dst.Addr(), unix.IPPROTO_HOPOPTS, segment))
}

func udpBadChecksum(s *Scene) error {
	s.expect.Reasons = []string{"UDP_CSUM"}
	s.expect.Frames = [][]string{{"__udp4_lib_rcv", "udp_rcv", "udp_queue_rcv_one_skb"}}
	s.countBy(s.net.Rx, "snmp", "Udp.InCsumErrors")
	packet := s.spoilt()
	packet[ipv4Len+6] ^= 0xff
	return s.wire(packet)
}

func udpSocketFull(s *Scene) error {
	s.expect.Reasons = []string{"SOCKET_RCVBUFF"}
	s.expect.Frames = [][]string{{"udp_queue_rcv_one_skb", "__udp_queue_rcv_skb"}}
	s.countBy(s.net.Rx, "snmp", "Udp.RcvbufErrors")
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	reader, err := s.socket(s.net.Rx, unix.SOCK_DGRAM, dst)
	if err != nil {
		return err
	}
	// The kernel makes that its minimum, a few packets.
	if err := unix.SetsockoptInt(reader, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil {
		return fmt.Errorf("shrink receive buffer: %w", err)
	}
	s.diesAt(s.net.Rx)
	fire, err := s.datagrams(src, dst, nil)
	if err != nil {
		return err
	}
	s.until(fire)
	return nil
}

func socketFilter(s *Scene) error {
	s.expect.Reasons = []string{"SOCKET_FILTER"}
	s.expect.Frames = [][]string{{"udp_queue_rcv_one_skb", "udp_queue_rcv_skb"}}
	s.countBy(s.net.Rx, "snmp", "Udp.InErrors")
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	reader, err := s.socket(s.net.Rx, unix.SOCK_DGRAM, dst)
	if err != nil {
		return err
	}
	nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	filter := &unix.SockFprog{Len: 1, Filter: &nothing}
	if err := unix.SetsockoptSockFprog(reader, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, filter); err != nil {
		return fmt.Errorf("attach socket filter: %w", err)
	}
	return s.receives(s.datagrams(src, dst, nil))
}

// receives has every packet die at Rx that fire sends.
func (s *Scene) receives(fire func() error, err error) error {
	if err != nil {
		return err
	}
	s.diesAt(s.net.Rx)
	s.each(fire, true)
	return nil
}
