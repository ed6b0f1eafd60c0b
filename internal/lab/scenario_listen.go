// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ghost is a client on the wire that is nobody's address: its segments are made
// by hand, as no TCP of a kernel would repeat them without delay.
var ghost = netip.AddrFrom4([4]byte{198, 18, 0, 9})

// backlog is what the listener asks for. Its accept queue then holds one more,
// and connections half open must be fewer (sk_acceptq_is_full, reqsk_queue_is_full).
const backlog = 3

// tcpListenOverflow opens one connection half, has others fill the accept queue,
// and then goes on to finish the first: the last segment of its handshake is
// dropped each time. (A SYN to a full queue is no drop, the kernel consumes it.)
func tcpListenOverflow(s *Scene) error {
	s.expect.Reasons = []string{"TCP_LISTEN_OVERFLOW", "NOT_SPECIFIED"}
	s.expect.Frames = frames("tcp_v4_rcv")
	s.countBy(s.net.Rx, "netstat", "TcpExt.ListenOverflows")
	_, dst := s.flow4()
	s.looksLike(unix.IPPROTO_TCP, netip.AddrPortFrom(ghost, srcPort), dst)
	s.diesAt(s.net.Rx)
	listener, err := s.socket(s.net.Rx, unix.SOCK_STREAM, dst)
	if err != nil {
		return err
	}
	if err := unix.Listen(listener, backlog); err != nil {
		return fmt.Errorf("listen on %s: %w", dst, err)
	}
	c, err := s.newClients(dst)
	if err != nil {
		return err
	}
	return Pinned(-1, func() error { return s.overflow(c) })
}

func (s *Scene) overflow(c *clients) error {
	late, err := c.open(0)
	if err != nil {
		return err
	}
	for port := uint16(1); port <= backlog+1; port++ {
		finish, err := c.open(port)
		if err != nil {
			return err
		}
		if err := finish(); err != nil {
			return err
		}
	}
	s.each(late, true)
	return s.fence.pass(context.Background())
}
