// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket opens a socket in the host's namespace.
func (h *Host) socket(domain, kind, protocol int) (fd int, err error) {
	err = h.Do(func() error {
		fd, err = unix.Socket(domain, kind|unix.SOCK_CLOEXEC, protocol)
		if err != nil {
			return fmt.Errorf("open socket of family %d: %w", domain, err)
		}
		return nil
	})
	return fd, err
}

// bound opens a socket of a kind (SOCK_DGRAM, SOCK_STREAM) and gives it an address.
func (h *Host) bound(kind int, local netip.AddrPort) (fd int, err error) {
	fd, err = h.socket(family(local.Addr()), kind, 0)
	if err != nil {
		return -1, err
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, sockaddr(local))
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("bind to %s: %w", local, err)
	}
	return fd, nil
}

// socket opens a bound socket and has it closed with the scene.
func (s *Scene) socket(h *Host, kind int, local netip.AddrPort) (fd int, err error) {
	if fd, err = h.bound(kind, local); err != nil {
		return -1, err
	}
	s.onClose(func() error { return closeSocket(fd) })
	return fd, nil
}

// closeSocket closes a socket after reading what it holds: packets that are
// purged from a closed socket count as drops (skb_queue_purge).
func closeSocket(fd int) error {
	buf := make([]byte, 1)
	for {
		n, _, err := unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
		if n <= 0 && !errors.Is(err, unix.EINTR) {
			break // nothing left, or the end of a connection
		}
	}
	if err := unix.Close(fd); err != nil {
		return fmt.Errorf("close socket: %w", err)
	}
	return nil
}

// sender opens a packet socket that puts frames on the host's wire, and receives none.
func (s *Scene) sender(h *Host) (send func(frame []byte) error, err error) {
	fd, err := h.socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		return nil, err
	}
	s.onClose(func() error { return unix.Close(fd) })
	to := &unix.SockaddrLinklayer{Ifindex: h.Ifindex, Halen: 6}
	return func(frame []byte) error {
		err := uninterrupted(func() error { return unix.Sendto(fd, frame, 0, to) })
		if err != nil {
			return fmt.Errorf("send frame on %s: %w", h.Device, err)
		}
		return nil
	}, nil
}

func family(addr netip.Addr) int {
	if addr.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}

// skMeminfoDrops is where SO_MEMINFO keeps a socket's drops (SK_MEMINFO_DROPS).
const skMeminfoDrops = 8

// socketTally counts by the drops of a socket. Needs kernel 4.12+.
func socketTally(fd int) *tally {
	return &tally{name: "socket drops", get: func() (uint64, error) {
		var info [skMeminfoDrops + 1]uint32
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno != 0 {
			return 0, fmt.Errorf("get socket memory: %w", errno)
		}
		return uint64(info[skMeminfoDrops]), nil
	}}
}
