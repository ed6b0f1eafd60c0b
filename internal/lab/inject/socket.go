// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"fmt"
	"net/netip"

	"github.com/dropwatch/dropwatch/internal/lab"
	"golang.org/x/sys/unix"
)

// Ports of the bench's datagrams.
const (
	srcPort  = 20001
	dstPort  = 20002
	slowPort = 20003 // of datagrams that hold the CPU
	echoID   = 20004 // identifier of echo requests, to a socket a port
)

// bytesPerPacket is more than a waiting packet is charged to a socket's buffer.
const bytesPerPacket = 2048

// open opens a socket in the host's namespace, with room for so many packets.
func (b *Bench) open(h *lab.Host, kind, protocol, room int) (fd int, err error) {
	err = h.Do(func() error {
		fd, err = unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, protocol)
		if err != nil {
			return fmt.Errorf("open socket: %w", err)
		}
		return nil
	})
	if err != nil {
		return -1, err
	}
	b.onClose(func() error {
		drain(fd)
		return unix.Close(fd)
	})
	for _, option := range []int{unix.SO_SNDBUFFORCE, unix.SO_RCVBUFFORCE} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, room*bytesPerPacket); err != nil {
			return -1, fmt.Errorf("set buffer of socket to %d packets: %w", room, err)
		}
	}
	return fd, nil
}

// connected opens a socket that sends from one address to another.
func (b *Bench) connected(kind, protocol, room int, src, dst netip.AddrPort) (fd int, err error) {
	if fd, err = b.open(b.net.Tx, kind, protocol, room); err != nil {
		return -1, err
	}
	if err := unix.Bind(fd, sockaddr(src)); err != nil {
		return -1, fmt.Errorf("bind to %s: %w", src, err)
	}
	if err := unix.Connect(fd, sockaddr(dst)); err != nil {
		return -1, fmt.Errorf("connect to %s: %w", dst, err)
	}
	return fd, nil
}

// bound opens a socket that receives datagrams to an address.
func (b *Bench) bound(dst netip.AddrPort, room int) (fd int, err error) {
	if fd, err = b.open(b.net.Rx, unix.SOCK_DGRAM, 0, room); err != nil {
		return -1, err
	}
	if err := unix.Bind(fd, sockaddr(dst)); err != nil {
		return -1, fmt.Errorf("bind to %s: %w", dst, err)
	}
	return fd, nil
}

// drain reads all that a socket holds: what a closed socket holds counts as drops.
func drain(fd int) {
	var buf [1]byte
	for {
		if n, _, _ := unix.Recvfrom(fd, buf[:], unix.MSG_DONTWAIT); n <= 0 {
			return
		}
	}
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}
