// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// connection makes a connection from Tx to Rx, and has it closed with the scene.
func (s *Scene) connection(src, dst netip.AddrPort) (client, server int, err error) {
	listener, err := s.net.Rx.bound(unix.SOCK_STREAM, dst)
	if err != nil {
		return -1, -1, err
	}
	defer unix.Close(listener)
	if err := unix.Listen(listener, 1); err != nil {
		return -1, -1, fmt.Errorf("listen on %s: %w", dst, err)
	}
	if client, err = s.net.Tx.bound(unix.SOCK_STREAM, src); err != nil {
		return -1, -1, err
	}
	if server, err = join(client, listener, dst); err != nil {
		return -1, -1, errors.Join(err, unix.Close(client))
	}
	s.onClose(func() error { return part(client, server) })
	return client, server, nil
}

// join connects a client to a listener and returns the server's end.
func join(client, listener int, dst netip.AddrPort) (server int, err error) {
	if err := connect(client, dst); err != nil {
		return -1, fmt.Errorf("connect to %s: %w", dst, err)
	}
	if err := limitWait(listener, unix.SO_RCVTIMEO); err != nil {
		return -1, err
	}
	err = uninterrupted(func() error {
		server, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
		return err
	})
	if err != nil {
		return -1, fmt.Errorf("accept on %s: %w", dst, err)
	}
	return server, nil
}

// part ends a connection so that both ends have read that it has ended: a FIN left
// unread counts as a drop.
func part(client, server int) error {
	var errs []error
	for _, fd := range []int{client, server} {
		errs = append(errs, limitWait(fd, unix.SO_RCVTIMEO), unix.Shutdown(fd, unix.SHUT_WR))
	}
	for _, fd := range []int{server, client} {
		errs = append(errs, uninterrupted(func() error {
			_, _, err := unix.Recvfrom(fd, make([]byte, 1), 0)
			return err
		}))
	}
	for _, fd := range []int{client, server} {
		errs = append(errs, unix.Close(fd))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("end connection: %w", err)
	}
	return nil
}

// Values of TCP_REPAIR and TCP_REPAIR_QUEUE (include/uapi/linux/tcp.h).
const (
	repairOn, repairOffSilent = 1, -1 // silent: without a window probe. Needs kernel 4.20+.
	receiveQueue, sendQueue   = 1, 2
)

// sequence returns the next sequence number that a connection will send, and the
// next it wants to receive.
func sequence(fd int) (send, receive uint32, err error) {
	ask := func(queue int) uint32 {
		var seq int
		err = errors.Join(err, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR_QUEUE, queue))
		seq, e := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_QUEUE_SEQ)
		err = errors.Join(err, e)
		return uint32(seq)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, repairOn); err != nil {
		return 0, 0, fmt.Errorf("get sequence numbers: %w", err)
	}
	send, receive = ask(sendQueue), ask(receiveQueue)
	err = errors.Join(err, unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, repairOffSilent))
	if err != nil {
		return 0, 0, fmt.Errorf("get sequence numbers: %w", err)
	}
	return send, receive, nil
}
