// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"net/netip"
	"time"
	"unsafe"
)

// A Packet is one that the bench sent to see when it arrives. All have the same
// length, and each a number of its own.
type Packet struct {
	// Number is in the first four bytes of the payload, in the machine's byte order.
	// Its low 16 bits are the sequence number of an echo request.
	Number   int
	Protocol uint8 // unix.IPPROTO_UDP, or unix.IPPROTO_ICMP for an echo request
	Src, Dst netip.AddrPort
	EchoID   uint16 // ICMP identifier of an echo request; zero for a datagram

	Sent     time.Duration // before the system call, CLOCK_MONOTONIC
	Returned time.Duration // after it
	// Arrived is when the packet, or the reply to the echo request, was given to its
	// socket, still in the softirq or the NAPI thread. Zero if it never was.
	Arrived time.Duration
	CPU     int // on which that was
}

// Delay is how long the packet took, or the round trip of an echo request; zero if
// it never arrived.
func (p Packet) Delay() time.Duration {
	if p.Arrived == 0 {
		return 0
	}
	return p.Arrived - p.Sent
}

const (
	headerLen = 8 // of UDP, and of an ICMP echo request
	echoType  = 8 // ICMP_ECHO, include/uapi/linux/icmp.h
)

// A message is an ICMP echo request with its payload. The payload alone is that of a
// datagram. The kernel fills in identifier and checksum (net/ipv4/ping.c).
type message [headerLen + 32]byte

// newMessage returns a message without a number.
func newMessage() (m message) {
	m[0] = echoType
	return m
}

// number gives the message its number.
//
//go:nosplit
//go:norace
func (m *message) number(n int) {
	m[6], m[7] = byte(n>>8), byte(n)
	*(*uint32)(unsafe.Pointer(&m[headerLen])) = uint32(n)
}
