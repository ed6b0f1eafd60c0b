// SPDX-License-Identifier: Apache-2.0

package rtt

import (
	"net/netip"
	"time"
)

// Reply is a line of a log that tells of one packet.
type Reply struct {
	Time time.Time     // when the tool printed it, CLOCK_REALTIME; zero if the log does not say
	RTT  time.Duration // as precise as it was printed, in multiples of 0.001 to 1 ms
	Addr netip.Addr    // who replied

	ID        uint16 // echo identifier, 0 if the log does not say
	Seq       uint16 // as printed, its lower 16 bits if it was larger
	Wire      uint16 // the ICMP sequence number in the packet, in network byte order; 0 unless ICMP
	Unwrapped uint64 // Seq counted on past 65535: Seq is its lower 16 bits
	ICMP      bool   // an ICMP reply; else to a TCP or UDP probe of hping3

	Duplicate  bool // another reply to the same packet came before
	Unanswered bool // ping -O had no reply yet when it sent the next packet; no RTT, no Addr

	Line int // in the log, from 1; the second of two
}

// sequence counts 16-bit numbers on past their wrap. A number is taken for the one
// nearest to the highest before it, so up to 32767 may be missing or out of order.
type sequence struct {
	base    uint64 // the lowest number of this run, a multiple of 65536
	highest uint64
	started bool
}

// restart begins a new run of a tool in the same log: its numbers come after all
// those of earlier runs.
func (s *sequence) restart() {
	if s.started {
		*s = sequence{base: (s.highest | 0xffff) + 1}
	}
}

// unwrap counts on to a printed number. One of more than 16 bits does not wrap.
func (s *sequence) unwrap(printed uint32) uint64 {
	n := s.base + uint64(printed)
	if s.started && printed <= 0xffff {
		distance := int64(int16(uint16(printed) - uint16(s.highest)))
		if at := int64(s.highest) + distance; at >= int64(s.base) {
			n = uint64(at)
		}
	}
	s.highest = max(s.highest, n)
	s.started = true
	return n
}
