// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
)

// Lengths of headers without options.
const (
	ethernetLen = 14
	ipv4Len     = 20
	ipv6Len     = 40
)

// ethernet puts a payload into a frame.
func ethernet(dst, src net.HardwareAddr, ethertype uint16, payload []byte) []byte {
	return slices.Concat(dst, src, binary.BigEndian.AppendUint16(nil, ethertype), payload)
}

// ip puts a segment into an IPv4 or an IPv6 packet, after the addresses' family.
func ip(src, dst netip.Addr, protocol uint8, segment []byte) []byte {
	if src.Is6() {
		return ipv6(src, dst, protocol, segment)
	}
	p := make([]byte, ipv4Len, ipv4Len+len(segment))
	p[0] = 0x45
	binary.BigEndian.PutUint16(p[2:], uint16(ipv4Len+len(segment)))
	p[6] = 0x40 // do not fragment
	p[8], p[9] = 64, protocol
	copy(p[12:], src.AsSlice())
	copy(p[16:], dst.AsSlice())
	sumIPv4(p)
	return append(p, segment...)
}

// sumIPv4 sets the checksum in an IPv4 header.
func sumIPv4(p []byte) {
	binary.BigEndian.PutUint16(p[10:], 0)
	binary.BigEndian.PutUint16(p[10:], fold(sum(p[:ipv4Len])))
}

func ipv6(src, dst netip.Addr, protocol uint8, segment []byte) []byte {
	p := make([]byte, ipv6Len, ipv6Len+len(segment))
	p[0] = 0x60
	binary.BigEndian.PutUint16(p[4:], uint16(len(segment)))
	p[6], p[7] = protocol, 64
	copy(p[8:], src.AsSlice())
	copy(p[24:], dst.AsSlice())
	return append(p, segment...)
}

// options is an IPv6 extension header full of padding, and what follows it.
func options(next uint8, rest []byte) []byte {
	return append([]byte{next, 0, 1 /* PadN */, 4, 0, 0, 0, 0}, rest...)
}
