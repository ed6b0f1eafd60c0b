// SPDX-License-Identifier: Apache-2.0

package event

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// udp4 is an IPv4 UDP packet, 10.0.0.1:4000 > 10.0.0.2:53.
var udp4 = []byte{
	0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
	0x0f, 0xa0, 0, 53, 0, 8, 0, 0,
}

// ip6 makes an IPv6 packet fd00::1 > fd00::2 of a next header and what follows.
func ip6(next byte, rest ...byte) []byte {
	b := make([]byte, 40)
	b[0], b[6], b[7] = 0x60, next, 63
	b[8], b[23], b[24], b[39] = 0xfd, 1, 0xfd, 2
	return append(b, rest...)
}

func TestParsePacket(t *testing.T) {
	a4, b4 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	a6, b6 := netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
	v4 := func(change func(b []byte) []byte) []byte { return change(append([]byte(nil), udp4...)) }
	ports := []byte{0x0f, 0xa0, 0, 53, 0, 8, 0, 0}

	for name, test := range map[string]struct {
		ethertype uint16
		packet    []byte
		want      Packet
	}{
		"udp": {EthertypeIPv4, udp4,
			Packet{Version: 4, Protocol: 17, TTL: 64, Src: a4, Dst: b4, SrcPort: 4000, DstPort: 53}},
		"tcp": {EthertypeIPv4, v4(func(b []byte) []byte {
			b[9] = 6
			return append(b, 0, 0, 0, 0, 0x50, 0x12, 0, 0)
		}), Packet{Version: 4, Protocol: 6, TTL: 64, Src: a4, Dst: b4, SrcPort: 4000, DstPort: 53, TCPFlags: 0x12}},
		"tcp, cut before the flags": {EthertypeIPv4, v4(func(b []byte) []byte { b[9] = 6; return b }),
			Packet{Version: 4, Protocol: 6, TTL: 64, Src: a4, Dst: b4, SrcPort: 4000, DstPort: 53}},
		"sctp": {EthertypeIPv4, v4(func(b []byte) []byte { b[9] = 132; return b }),
			Packet{Version: 4, Protocol: 132, TTL: 64, Src: a4, Dst: b4, SrcPort: 4000, DstPort: 53}},
		"ip options": {EthertypeIPv4, v4(func(b []byte) []byte {
			b[0] = 0x46
			return append(b[:20:20], append([]byte{1, 1, 1, 1}, ports...)...)
		}), Packet{Version: 4, Protocol: 17, TTL: 64, Src: a4, Dst: b4, SrcPort: 4000, DstPort: 53}},
		"header length beyond the packet": {EthertypeIPv4, v4(func(b []byte) []byte { b[0] = 0x4f; return b }),
			Packet{Version: 4, Protocol: 17, TTL: 64, Src: a4, Dst: b4}},
		"header length too small": {EthertypeIPv4, v4(func(b []byte) []byte { b[0] = 0x44; return b }),
			Packet{Version: 4, Protocol: 17, TTL: 64, Src: a4, Dst: b4}},
		"later fragment": {EthertypeIPv4, v4(func(b []byte) []byte { b[7] = 1; return b }),
			Packet{Version: 4, Protocol: 17, TTL: 64, Src: a4, Dst: b4, Fragment: true}},
		"echo request": {EthertypeIPv4, v4(func(b []byte) []byte {
			b[9] = 1
			return append(b[:20:20], 8, 0, 0, 0, 0x12, 0x34, 0, 9)
		}), Packet{Version: 4, Protocol: 1, TTL: 64, Src: a4, Dst: b4, HasICMP: true, ICMPType: 8, EchoID: 0x1234, EchoSeq: 9}},
		"icmp unreachable": {EthertypeIPv4, v4(func(b []byte) []byte {
			b[9] = 1
			return append(b[:20:20], 3, 1, 0, 0, 0x12, 0x34, 0, 9)
		}), Packet{Version: 4, Protocol: 1, TTL: 64, Src: a4, Dst: b4, HasICMP: true, ICMPType: 3, ICMPCode: 1}},
		"vlan in the packet": {EthertypeVLAN, append([]byte{0x60, 7, 8, 0}, udp4...),
			Packet{HasVLAN: true, VLAN: 7, Version: 4, Protocol: 17, TTL: 64, Src: a4, Dst: b4, SrcPort: 4000, DstPort: 53}},
		"two vlans": {EthertypeQinQ, append([]byte{0, 9, 0x81, 0, 0, 7, 8, 0}, udp4...),
			Packet{HasVLAN: true, VLAN: 9, HasInner: true, Inner: 7, Version: 4, Protocol: 17, TTL: 64, Src: a4, Dst: b4, SrcPort: 4000, DstPort: 53}},
		"ipv6 udp": {EthertypeIPv6, ip6(17, ports...),
			Packet{Version: 6, Protocol: 17, TTL: 63, Src: a6, Dst: b6, SrcPort: 4000, DstPort: 53}},
		"ipv6 hop-by-hop, destination options": {EthertypeIPv6,
			ip6(0, append([]byte{60, 0, 1, 4, 0, 0, 0, 0, 17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, ports...)...),
			Packet{Version: 6, Protocol: 17, TTL: 63, Src: a6, Dst: b6, SrcPort: 4000, DstPort: 53}},
		"ipv6 authentication": {EthertypeIPv6, ip6(51, append([]byte{17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, ports...)...),
			Packet{Version: 6, Protocol: 17, TTL: 63, Src: a6, Dst: b6, SrcPort: 4000, DstPort: 53}},
		"ipv6 first fragment": {EthertypeIPv6, ip6(44, append([]byte{17, 0, 0, 1, 0, 0, 0, 5}, ports...)...),
			Packet{Version: 6, Protocol: 17, TTL: 63, Src: a6, Dst: b6, SrcPort: 4000, DstPort: 53}},
		"ipv6 later fragment": {EthertypeIPv6, ip6(44, append([]byte{17, 0, 0, 8, 0, 0, 0, 5}, ports...)...),
			Packet{Version: 6, Protocol: 17, TTL: 63, Src: a6, Dst: b6, Fragment: true}},
		"ipv6 echo": {EthertypeIPv6, ip6(58, 128, 0, 0, 0, 0, 5, 0, 6),
			Packet{Version: 6, Protocol: 58, TTL: 63, Src: a6, Dst: b6, HasICMP: true, ICMPType: 128, EchoID: 5, EchoSeq: 6}},
		"ipv6 extension that is cut": {EthertypeIPv6, ip6(0, 17, 9, 0, 0, 0, 0, 0, 0),
			Packet{Version: 6, Protocol: 0, TTL: 63, Src: a6, Dst: b6}},
		"ipv6 no next header": {EthertypeIPv6, ip6(59), Packet{Version: 6, Protocol: 59, TTL: 63, Src: a6, Dst: b6}},
		"arp":                 {EthertypeARP, make([]byte, 28), Packet{}},
		"other version":       {EthertypeIPv4, ip6(17), Packet{}},
		"short":               {EthertypeIPv4, udp4[:19], Packet{}},
		"empty":               {EthertypeIPv6, nil, Packet{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := ParsePacket(test.ethertype, test.packet)
			if diff := cmp.Diff(test.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func FuzzParsePacket(f *testing.F) {
	f.Add(uint16(EthertypeIPv4), udp4)
	f.Add(uint16(EthertypeIPv6), ip6(0, 60, 0, 1, 4, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, ethertype uint16, b []byte) {
		p := ParsePacket(ethertype, b)
		if p.Version != 0 && (!p.Src.IsValid() || !p.Dst.IsValid()) {
			t.Errorf("IP version %d without addresses", p.Version)
		}
		if p.Fragment && p.SrcPort|p.DstPort != 0 {
			t.Error("a later fragment has ports")
		}
	})
}

func TestProto(t *testing.T) {
	for want, c := range map[string]Cell{
		"UDP":              {Ethertype: EthertypeIPv4, Protocol: 17},
		"ICMPv6":           {Ethertype: EthertypeIPv6, Protocol: 58},
		"proto 253":        {Ethertype: EthertypeIPv4, Protocol: 253},
		"IPv6":             {Ethertype: EthertypeIPv6},
		"ARP":              {Ethertype: EthertypeARP},
		"ethertype 0x88b5": {Ethertype: 0x88b5},
		"AF_UNIX":          {Family: 1},
		"AF 77":            {Family: 77},
		"unknown":          {},
	} {
		if got := c.Proto(); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
