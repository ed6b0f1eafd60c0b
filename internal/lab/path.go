// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Path is a system call that a packet is sent by. Different paths lead to the
// same drop by different stacks.
type Path uint8

// The paths there are.
const (
	Sendto Path = iota
	Sendmsg
	Write
	numPaths
)

// String returns the name of the system call.
func (p Path) String() string {
	return [...]string{"sendto", "sendmsg", "write"}[p]
}

// Frames returns functions that only a packet sent by this path has on its stack,
// as in Expect.
func (p Path) Frames() [][]string {
	return [numPaths][][]string{frames("__sys_sendto"), frames("__sys_sendmsg"), frames("vfs_write")}[p]
}

// A gun fires packets without allocating memory or telling the Go scheduler.
type gun struct {
	fd      int // a connected socket that does not block
	payload []byte
	iov     unix.Iovec
	msg     unix.Msghdr
}

func newGun(fd, payload int) *gun {
	g := &gun{fd: fd, payload: make([]byte, payload)}
	g.iov.Base = &g.payload[0]
	g.iov.SetLen(payload)
	g.msg.Iov = &g.iov
	g.msg.SetIovlen(1)
	return g
}

// fire sends one packet.
func (g *gun) fire(p Path) (errno unix.Errno) {
	fd, length := uintptr(g.fd), uintptr(len(g.payload))
	switch p {
	case Sendto:
		_, _, errno = unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&g.payload[0])), length, 0, 0, 0)
	case Sendmsg:
		_, _, errno = unix.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&g.msg)), 0)
	default:
		_, _, errno = unix.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(&g.payload[0])), length)
	}
	return errno
}
