// SPDX-License-Identifier: Apache-2.0

//go:build linux

package rtnl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Socket is an rtnetlink socket for dumps. It stays in the network namespace in which it
// was opened. It does not allocate for an answer; vishvananda/netlink allocates 64 KiB for
// each.
type Socket struct {
	FD  int // file descriptor, also for ioctls in the same namespace
	seq uint32
}

// Buffer is the size in bytes of a buffer for answers. The kernel fills at most 32 KiB of it
// (netlink_recvmsg, net/netlink/af_netlink.c).
const Buffer = 64 << 10

// ErrInterrupted says that the objects changed during the dump (NLM_F_DUMP_INTR).
var ErrInterrupted = errors.New("changed meanwhile")

// Open opens a socket in the network namespace that the calling thread is in.
func Open() (*Socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open rtnetlink: %w", err)
	}
	// The kernel answers at once. The timeout keeps a faulty one from blocking the caller.
	wait := unix.Timeval{Sec: 1}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("limit wait for rtnetlink: %w", err)
	}
	return &Socket{FD: fd}, nil
}

// Close closes the socket.
func (s *Socket) Close() { unix.Close(s.FD) }

// Cookie returns the cookie of the socket's network namespace, which is unique until
// reboot; 0 if the kernel does not report it. Needs kernel 5.14+ (SO_NETNS_COOKIE,
// e8b9eab99232).
func (s *Socket) Cookie() uint64 {
	cookie, err := unix.GetsockoptUint64(s.FD, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return 0
	}
	return cookie
}

// Dump sends a dump request with a family header of that many zero bytes. It calls each
// with every message, without the netlink header. buffer has Buffer bytes. Dump returns
// ErrInterrupted, an error of each, or the kernel's error number. After an error it reads
// the rest of the answer, so that the socket is ready for the next dump.
func (s *Socket) Dump(request uint16, header int, buffer []byte, each func(message []byte) error) error {
	if err := s.ask(request, header, buffer); err != nil {
		return err
	}
	var failed error
	for {
		n, from, err := unix.Recvfrom(s.FD, buffer, unix.MSG_TRUNC)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return os.NewSyscallError("recvfrom", err)
		}
		if n > len(buffer) {
			return fmt.Errorf("read answer: %d bytes, room for %d", n, len(buffer))
		}
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
			continue // not the kernel
		}
		done, err := s.messages(buffer[:n], each)
		if err != nil && failed == nil {
			failed, each = err, func([]byte) error { return nil }
		}
		if done {
			return failed
		}
	}
}

func (s *Socket) ask(request uint16, header int, buffer []byte) error {
	s.seq++
	message := buffer[:unix.NLMSG_HDRLEN+header]
	clear(message)
	binary.NativeEndian.PutUint32(message[0:], uint32(len(message)))
	binary.NativeEndian.PutUint16(message[4:], request)
	binary.NativeEndian.PutUint16(message[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	binary.NativeEndian.PutUint32(message[8:], s.seq)
	err := unix.Sendto(s.FD, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	return os.NewSyscallError("sendto", err)
}

// messages calls each with the messages of one datagram, and reports whether the dump is
// complete.
func (s *Socket) messages(answer []byte, each func([]byte) error) (done bool, err error) {
	for len(answer) >= unix.NLMSG_HDRLEN {
		length := int(binary.NativeEndian.Uint32(answer))
		if length < unix.NLMSG_HDRLEN || length > len(answer) {
			return true, fmt.Errorf("read answer: message of %d bytes in %d", length, len(answer))
		}
		kind, flags := binary.NativeEndian.Uint16(answer[4:]), binary.NativeEndian.Uint16(answer[6:])
		seq, body := binary.NativeEndian.Uint32(answer[8:]), answer[unix.NLMSG_HDRLEN:length]
		answer = answer[min(align(length), len(answer)):]
		if seq != s.seq {
			continue // answer to an earlier dump that was aborted
		}
		if flags&unix.NLM_F_DUMP_INTR != 0 && err == nil {
			err = ErrInterrupted
		}
		if kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR {
			return true, errors.Join(err, kernelError(body))
		}
		if err == nil {
			err = each(body)
		}
	}
	return false, err
}

// kernelError decodes the error number in NLMSG_DONE or NLMSG_ERROR.
func kernelError(body []byte) error {
	if len(body) < 4 {
		return nil
	}
	if number := int32(binary.NativeEndian.Uint32(body)); number < 0 {
		return unix.Errno(-number)
	}
	return nil
}

// Attributes calls each with the attributes of a message (struct rtattr). kind has no flags
// (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
func Attributes(text []byte, each func(kind uint16, value []byte) error) error {
	for len(text) >= unix.SizeofRtAttr {
		length := int(binary.NativeEndian.Uint16(text))
		if length < unix.SizeofRtAttr || length > len(text) {
			return fmt.Errorf("attribute of %d bytes in %d", length, len(text))
		}
		kind := binary.NativeEndian.Uint16(text[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
		if err := each(kind, text[unix.SizeofRtAttr:length]); err != nil {
			return err
		}
		text = text[min(align(length), len(text)):]
	}
	return nil
}

// align rounds up to where the next message or attribute begins.
func align(n int) int { return (n + 3) &^ 3 }
