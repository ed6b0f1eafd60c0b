// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// udp is a datagram with a good checksum.
func udp(src, dst netip.AddrPort, payload []byte) []byte {
	p := ports(src, dst)
	p = binary.BigEndian.AppendUint16(p, uint16(8+len(payload)))
	p = append(p, 0, 0)
	p = append(p, payload...)
	sumSegment(src.Addr(), dst.Addr(), unix.IPPROTO_UDP, p, 6)
	return p
}

// Flags of a TCP segment.
const (
	tcpSYN = 0x02
	tcpACK = 0x10
)

// tcp is a segment without options or data, with a good checksum.
func tcp(src, dst netip.AddrPort, flags uint8, seq, ack uint32) []byte {
	p := ports(src, dst)
	p = binary.BigEndian.AppendUint32(p, seq)
	p = binary.BigEndian.AppendUint32(p, ack)
	p = append(p, 5<<4, flags, 0x10, 0, 0, 0, 0, 0) // 20 bytes long, window 4096
	sumSegment(src.Addr(), dst.Addr(), unix.IPPROTO_TCP, p, 16)
	return p
}

// echo is an ICMP echo request with a good checksum.
func echo(id, seq uint16) []byte {
	p := []byte{8, 0, 0, 0}
	p = binary.BigEndian.AppendUint16(p, id)
	p = binary.BigEndian.AppendUint16(p, seq)
	binary.BigEndian.PutUint16(p[2:], fold(sum(p)))
	return p
}

func ports(src, dst netip.AddrPort) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, src.Port()), dst.Port())
}

// sumSegment sets the checksum at an offset in a UDP or TCP segment.
func sumSegment(src, dst netip.Addr, protocol uint8, p []byte, at int) {
	pseudo := sum(src.AsSlice()) + sum(dst.AsSlice()) + uint32(protocol) + uint32(len(p))
	binary.BigEndian.PutUint16(p[at:], fold(pseudo+sum(p)))
}

// sum adds up 16-bit words; fold makes an Internet checksum of that (RFC 1071).
func sum(p []byte) (total uint32) {
	for i, b := range p {
		total += uint32(b) << (8 * (1 - i%2))
	}
	return total
}

func fold(total uint32) uint16 {
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return ^uint16(total)
}
