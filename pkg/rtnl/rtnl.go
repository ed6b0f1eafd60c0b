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

// Socket asks rtnetlink for lists. It stays in the namespace it was opened in, and
// leaves no garbage, which vishvananda/netlink does: 64 KiB for every answer.
type Socket struct {
	FD  int // the descriptor, for ioctls in the same namespace
	seq uint32
}

// Buffer is the size of a buffer for answers, of which the kernel fills at most 32 KiB
// (netlink_recvmsg, net/netlink/af_netlink.c).
const Buffer = 64 << 10

// ErrInterrupted says that a list changed while it was read (NLM_F_DUMP_INTR).
var ErrInterrupted = errors.New("changed meanwhile")

// Open opens a socket in the network namespace that the calling thread is in.
func Open() (*Socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open rtnetlink: %w", err)
	}
	// The kernel answers at once; a second keeps a broken one from holding us forever.
	wait := unix.Timeval{Sec: 1}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("limit wait for rtnetlink: %w", err)
	}
	return &Socket{FD: fd}, nil
}

// Close closes the socket.
func (s *Socket) Close() { unix.Close(s.FD) }

// Cookie returns a number that no other network namespace ever has while the machine is
// up; 0 if the kernel does not tell. Needs kernel 5.14+ (SO_NETNS_COOKIE, e8b9eab99232).
func (s *Socket) Cookie() uint64 {
	cookie, err := unix.GetsockoptUint64(s.FD, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return 0
	}
	return cookie
}

// Dump asks for a list, with a header of n zero bytes, and hands on each message
// without its netlink header. buffer has Buffer bytes. Errors are ErrInterrupted,
// those of each, and those of the kernel. After one the rest of the list is still read,
// so that the next one is in step.
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

// messages hands on the messages of one answer, and says whether the list is done.
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
			continue // of a list that was given up
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

// kernelError reads the error number that ends a list.
func kernelError(body []byte) error {
	if len(body) < 4 {
		return nil
	}
	if number := int32(binary.NativeEndian.Uint32(body)); number < 0 {
		return unix.Errno(-number)
	}
	return nil
}

// Attributes hands on the Attributes of a message (struct rtattr), without their flags.
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
