// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// neighbourScenarios are deaths of packets that wait for a neighbour's MAC address.
func neighbourScenarios() []Scenario {
	return []Scenario{
		{Name: "neighbour-failed", Doc: "a neighbour that does not answer", arp: true, prepare: neighbourFailed},
		{Name: "neighbour-queue-full", Doc: "too many packets waiting for a neighbour", arp: true, prepare: neighbourQueueFull},
	}
}

// stranger is an address on the wire for which Tx has no neighbour entry.
var stranger = netip.AddrFrom4([4]byte{198, 18, 0, 77})

// neighbourFailed lets a timer give up: packets die long after the system call
// that sent them.
func neighbourFailed(s *Scene) error {
	s.expect.Reasons = []string{"NEIGH_FAILED", "NOT_SPECIFIED"}
	s.expect.Frames = frames("neigh_invalidate", "neigh_timer_handler")
	s.diesAt(s.net.Tx)
	src, _ := s.flow4()
	dst := netip.AddrPortFrom(stranger, dstPort)
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	conf := "ipv4/neigh/" + s.net.Tx.Device + "/"
	err := s.net.Tx.sysctls(conf+"mcast_solicit", "1", conf+"retrans_time_ms", "20", conf+"unres_qlen_bytes", "100000000")
	if err != nil {
		return err
	}
	fd, err := s.socket(s.net.Tx, unix.SOCK_DGRAM, src)
	if err != nil {
		return err
	}
	// Waiting packets count against the socket.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 4<<20); err != nil {
		return fmt.Errorf("enlarge send buffer: %w", err)
	}
	fire := datagrams(fd, dst, nil)
	s.send = func(ctx context.Context, n int) (sent int, err error) {
		for sent < n {
			for range min(window, n-sent) {
				if err := fire(); err != nil {
					return sent, err
				}
				sent++
			}
			if err := awaitUnsent(ctx, fd); err != nil {
				return sent, err
			}
		}
		return sent, nil
	}
	return nil
}

// awaitUnsent waits until the kernel has let go of all packets of a socket.
func awaitUnsent(ctx context.Context, fd int) error {
	return awaitTimer(ctx, "packets to leave the send queue", func() (bool, error) {
		held, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
		if err != nil {
			return false, fmt.Errorf("get send queue: %w", err)
		}
		return held == 0, nil
	})
}

// neighbourQueueFull has one packet wait, which each further one pushes out. The
// last is delivered when the scene is closed.
func neighbourQueueFull(s *Scene) error {
	s.expect.Reasons = []string{"NEIGH_QUEUEFULL"}
	s.expect.Frames = frames("__neigh_event_send")
	s.diesAt(s.net.Tx)
	src, _ := s.flow4()
	dst := netip.AddrPortFrom(stranger, dstPort)
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	conf := "ipv4/neigh/" + s.net.Tx.Device + "/"
	if err := s.net.Tx.sysctls(conf+"retrans_time_ms", "1000000", conf+"unres_qlen_bytes", "1"); err != nil {
		return err
	}
	if err := s.answerLate(dst); err != nil {
		return err
	}
	fire, err := s.datagrams(src, dst, nil)
	if err != nil {
		return err
	}
	waiting := false
	s.send = func(ctx context.Context, n int) (sent int, err error) {
		if !waiting {
			n++
		}
		for ; sent < n && err == nil; sent++ {
			err = errors.Join(ctx.Err(), fire())
			waiting = true
		}
		return sent, err
	}
	return nil
}

// answerLate makes Rx the neighbour that Tx looks for, only that it answers no
// requests; closing the scene tells Tx.
func (s *Scene) answerLate(dst netip.AddrPort) error {
	rx := s.net.Rx
	if err := rx.Sysctl("ipv4/conf/"+rx.Device+"/arp_ignore", "8"); err != nil {
		return err
	}
	if err := addAddr(rx.nl, rx.link, dst.Addr(), 24, 0); err != nil {
		return err
	}
	if _, err := s.socket(rx, unix.SOCK_DGRAM, dst); err != nil {
		return err
	}
	s.onClose(func() error {
		return errors.Join(s.net.Tx.addNeighbour(dst.Addr(), rx.MAC), s.fence.pass(context.Background()))
	})
	return nil
}
