// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// tcpScenarios are deaths in TCP.
func tcpScenarios() []Scenario {
	return []Scenario{
		{Name: "tcp-closed-port", Doc: "connecting to a port nobody listens on", prepare: tcpClosedPort},
		{Name: "tcp-bad-checksum", Doc: "a bad TCP checksum", prepare: tcpBadChecksum},
		{Name: "tcp-bad-sequence", Doc: "a segment far outside the window of its connection", prepare: tcpBadSequence},
		{Name: "tcp-listen-overflow", Doc: "a listener whose accept queue is full", prepare: tcpListenOverflow},
	}
}

func tcpClosedPort(s *Scene) error {
	s.expect.Reasons = []string{"NO_SOCKET"}
	s.expect.Frames = frames("tcp_v4_rcv")
	s.countBy(s.net.Rx, "snmp", "Tcp.OutRsts")
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_TCP, src, dst)
	return s.receives(func() error {
		fd, err := s.net.Tx.bound(unix.SOCK_STREAM, src)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err := connect(fd, dst); !errors.Is(err, unix.ECONNREFUSED) {
			return fmt.Errorf("connect to %s: got error %v, want %v", dst, err, unix.ECONNREFUSED)
		}
		return nil
	}, nil)
}

// connect waits no longer than any other step for an answer.
func connect(fd int, to netip.AddrPort) error {
	if err := limitWait(fd, unix.SO_SNDTIMEO); err != nil {
		return err
	}
	return uninterrupted(func() error { return unix.Connect(fd, sockaddr(to)) })
}

// limitWait sets a time limit (SO_SNDTIMEO, SO_RCVTIMEO) for calls on a socket.
func limitWait(fd, option int) error {
	limit := unix.NsecToTimeval(patience.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &limit); err != nil {
		return fmt.Errorf("set socket timeout: %w", err)
	}
	return nil
}

func tcpBadChecksum(s *Scene) error {
	s.expect.Reasons = []string{"TCP_CSUM"}
	s.expect.Frames = frames("tcp_v4_rcv")
	s.countBy(s.net.Rx, "snmp", "Tcp.InCsumErrors")
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_TCP, src, dst)
	segment := tcp(src, dst, tcpSYN, 1, 0)
	segment[16] ^= 0xff
	return s.wire(ip(src.Addr(), dst.Addr(), unix.IPPROTO_TCP, segment))
}

// tcpBadSequence is counted by the receiving socket's own drops.
func tcpBadSequence(s *Scene) error {
	s.expect.Reasons = []string{"TCP_INVALID_SEQUENCE"}
	s.expect.Frames = frames("tcp_v4_rcv", "tcp_v4_do_rcv", "tcp_validate_incoming")
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_TCP, src, dst)
	client, server, err := s.connection(src, dst)
	if err != nil {
		return err
	}
	s.tally = socketTally(server)
	seq, ack, err := sequence(client)
	if err != nil {
		return err
	}
	const far = 1 << 30
	return s.wire(ip(src.Addr(), dst.Addr(), unix.IPPROTO_TCP, tcp(src, dst, tcpACK, seq+far, ack)))
}
