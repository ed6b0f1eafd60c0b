// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ipScenarios are deaths in the IP layer and in ICMP of the receiver.
func ipScenarios() []Scenario {
	return []Scenario{
		{Name: "ip-bad-header", Doc: "an IPv4 header of version 5", prepare: ipBadHeader},
		{Name: "ip-bad-checksum", Doc: "a bad IPv4 header checksum", prepare: ipBadChecksum},
		{Name: "ip-truncated", Doc: "an IPv4 packet shorter than its header says", prepare: ipTruncated},
		{Name: "ip-unknown-protocol", Doc: "an IP protocol nobody handles", prepare: ipUnknownProtocol},
		{Name: "ip-reverse-path", Doc: "a source address that is routed elsewhere, under rp_filter", prepare: ipReversePath},
		{Name: "ip6-disabled", Doc: "IPv6 to a device where it is disabled", prepare: ip6Disabled},
		{Name: "ip-fragment-timeout", Doc: "IPv4 fragments whose rest never comes", prepare: ipFragmentTimeout},
		{Name: "ip-fragment-memory", Doc: "IPv4 fragments that find no memory (net.ipv4.ipfrag_high_thresh)", prepare: ipFragmentMemory},
		{Name: "ip6-fragment-memory", Doc: "IPv6 fragments that find no memory (net.ipv6.ip6frag_high_thresh)", prepare: ip6FragmentMemory},
		{Name: "icmp-bad-checksum", Doc: "a bad ICMP checksum", prepare: icmpBadChecksum},
		{Name: "icmp-unknown-type", Doc: "ICMP messages of a type that there is not", prepare: icmpUnknownType},
		{Name: "ip6-bad-version", Doc: "an IPv6 header of version 4", prepare: ip6BadVersion},
		{Name: "ip6-unknown-option", Doc: "an IPv6 option to be discarded by whom does not know it", prepare: ip6UnknownOption},
		{Name: "ip6-routing-type-0", Doc: "an IPv6 routing header of type 0, with a hop left", prepare: ip6RoutingType0},
	}
}

// spoilt is a UDP packet of the usual IPv4 flow, for a scenario to change.
func (s *Scene) spoilt() []byte {
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	return ip(src.Addr(), dst.Addr(), unix.IPPROTO_UDP, udp(src, dst, make([]byte, 64)))
}

func ipBadHeader(s *Scene) error {
	s.expect.Reasons = []string{"IP_INHDR"}
	s.expect.Frames = frames("ip_rcv")
	s.countBy(s.net.Rx, "snmp", "Ip.InHdrErrors")
	packet := s.spoilt()
	packet[0] = 0x55
	sumIPv4(packet)
	// Nothing in a header of that version can be relied on.
	s.expect.Protocol, s.expect.Src, s.expect.Dst = 0, netip.AddrPort{}, netip.AddrPort{}
	return s.wire(packet)
}

func ipBadChecksum(s *Scene) error {
	s.expect.Reasons = []string{"IP_CSUM"}
	s.expect.Frames = frames("ip_rcv")
	s.countBy(s.net.Rx, "netstat", "IpExt.InCsumErrors")
	packet := s.spoilt()
	packet[10] ^= 0xff
	return s.wire(packet)
}

func ipTruncated(s *Scene) error {
	s.expect.Reasons = []string{"PKT_TOO_SMALL"}
	s.expect.Frames = frames("ip_rcv")
	s.countBy(s.net.Rx, "netstat", "IpExt.InTruncatedPkts")
	packet := s.spoilt()
	return s.wire(packet[:len(packet)-10])
}

// experimental is an IP protocol for experiments (RFC 3692).
const experimental = 253

func ipUnknownProtocol(s *Scene) error {
	s.expect.Reasons = []string{"IP_NOPROTO"}
	s.expect.Frames = [][]string{{"ip_protocol_deliver_rcu", "ip_local_deliver_finish"}}
	s.countBy(s.net.Rx, "snmp", "Ip.InUnknownProtos")
	src, dst := s.portless4()
	s.looksLike(experimental, src, dst)
	return s.wire(ip(src.Addr(), dst.Addr(), experimental, make([]byte, 64)))
}

func ipReversePath(s *Scene) error {
	s.expect.Reasons = []string{"IP_RPFILTER"}
	s.expect.Frames = [][]string{{"ip_rcv_finish_core", "ip_rcv_finish", "ip_rcv"}}
	s.countBy(s.net.Rx, "netstat", "TcpExt.IPReversePathFilter")
	if err := s.net.Rx.Sysctl("ipv4/conf/"+s.net.Rx.Device+"/rp_filter", "1"); err != nil {
		return err
	}
	_, dst := s.flow4()
	src := netip.AddrPortFrom(elsewhere4, srcPort)
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	return s.wire(ip(src.Addr(), dst.Addr(), unix.IPPROTO_UDP, udp(src, dst, nil)))
}

func ip6Disabled(s *Scene) error {
	s.expect.Reasons = []string{"IPV6DISABLED"}
	s.expect.Frames = [][]string{{"ipv6_rcv", "ip6_rcv_core"}}
	s.countBy(s.net.Rx, "snmp6", "Ip6InDiscards")
	src, dst, err := s.flow6()
	if err != nil {
		return err
	}
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	if err := s.net.Rx.Sysctl("ipv6/conf/"+s.net.Rx.Device+"/disable_ipv6", "1"); err != nil {
		return err
	}
	return s.wire(ip(src.Addr(), dst.Addr(), unix.IPPROTO_UDP, udp(src, dst, nil)))
}

func icmpBadChecksum(s *Scene) error {
	s.expect.Reasons = []string{"ICMP_CSUM", "NOT_SPECIFIED"}
	s.expect.Frames = frames("icmp_rcv")
	s.countBy(s.net.Rx, "snmp", "Icmp.InCsumErrors")
	src, dst := s.portless4()
	s.looksLike(unix.IPPROTO_ICMP, src, dst)
	s.expect.EchoID, s.expect.EchoSeq = 0x1ab0, 7
	request := echo(s.expect.EchoID, s.expect.EchoSeq)
	request[2] ^= 0xff
	return s.wire(ip(src.Addr(), dst.Addr(), unix.IPPROTO_ICMP, request))
}

func icmpUnknownType(s *Scene) error {
	s.expect.Reasons, s.expect.Class = []string{"UNHANDLED_PROTO", "NOT_SPECIFIED"}, "peer error"
	s.expect.Frames = frames("icmp_rcv")
	s.countBy(s.net.Rx, "snmp", "Icmp.InErrors")
	src, dst := s.portless4()
	s.looksLike(unix.IPPROTO_ICMP, src, dst)
	message := []byte{200, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(message[2:], fold(sum(message)))
	return s.wire(ip(src.Addr(), dst.Addr(), unix.IPPROTO_ICMP, message))
}

func ip6BadVersion(s *Scene) error {
	s.expect.Reasons, s.expect.Class = []string{"UNHANDLED_PROTO", "IP_INHDR"}, "peer error"
	s.expect.Frames = [][]string{{"ip6_rcv_core", "ipv6_rcv"}}
	s.expect.Ethertype = unix.ETH_P_IPV6
	s.countBy(s.net.Rx, "snmp6", "Ip6InHdrErrors")
	src, dst, err := s.flow6()
	if err != nil {
		return err
	}
	packet := ip(src.Addr(), dst.Addr(), unix.IPPROTO_UDP, udp(src, dst, nil))
	packet[0] = 0x40
	return s.wireFrame(ethernet(s.net.Rx.MAC, s.net.Tx.MAC, unix.ETH_P_IPV6, packet))
}

func ip6UnknownOption(s *Scene) error {
	s.expect.Reasons, s.expect.Class = []string{"UNHANDLED_PROTO", "NOT_SPECIFIED"}, "peer error"
	s.expect.Frames = [][]string{{"ipv6_destopt_rcv", "ip6_tlvopt_unknown", "ip6_parse_tlv"}}
	s.countBy(s.net.Rx, "snmp6", "Ip6InHdrErrors")
	src, dst, err := s.flow6()
	if err != nil {
		return err
	}
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	segment := options(unix.IPPROTO_UDP, udp(src, dst, nil))
	segment[2] = 0x5e // discard, RFC 8200 section 4.2
	return s.wire(ip(src.Addr(), dst.Addr(), unix.IPPROTO_DSTOPTS, segment))
}

func ip6RoutingType0(s *Scene) error {
	s.expect.Reasons, s.expect.Class = []string{"NOT_SPECIFIED"}, "peer error"
	s.expect.Frames = [][]string{{"ipv6_rthdr_rcv", "icmpv6_param_prob", "icmpv6_param_prob_reason"}}
	s.countBy(s.net.Rx, "snmp6", "Ip6InHdrErrors")
	src, dst, err := s.flow6()
	if err != nil {
		return err
	}
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	const left = 1
	header := append([]byte{unix.IPPROTO_UDP, 2, 0, left, 0, 0, 0, 0}, dst.Addr().AsSlice()...)
	return s.wire(ip(src.Addr(), dst.Addr(), unix.IPPROTO_ROUTING, append(header, udp(src, dst, nil)...)))
}

// portless4 is the usual IPv4 flow of a protocol without ports.
func (s *Scene) portless4() (src, dst netip.AddrPort) {
	return netip.AddrPortFrom(s.net.Tx.Addr4, 0), netip.AddrPortFrom(s.net.Rx.Addr4, 0)
}
