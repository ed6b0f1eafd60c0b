// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// fencePort is that of a scene's fence.
const fencePort = 20000

// A fence tells when earlier packets have been dealt with: it sends one over the
// same wire, from the same CPU, and waits for it. A veth pair hands packets to
// their receiver through a queue of the sending CPU, first in, first out, and
// runs each to its end before the next.
type fence struct {
	tx, rx int // sockets
	to     unix.Sockaddr
	seq    uint64
	buf    [8]byte
}

// newFence makes a fence whose packets go from a port to the same port.
func (n *Net) newFence(port uint16) (f *fence, err error) {
	f = &fence{tx: -1, rx: -1}
	to := netip.AddrPortFrom(n.Rx.Addr4, port)
	f.to = sockaddr(to)
	if f.rx, err = n.Rx.bound(unix.SOCK_DGRAM, to); err != nil {
		return nil, fmt.Errorf("make fence: %w", err)
	}
	if f.tx, err = n.Tx.bound(unix.SOCK_DGRAM, netip.AddrPortFrom(n.Tx.Addr4, port)); err != nil {
		return nil, errors.Join(fmt.Errorf("make fence: %w", err), unix.Close(f.rx))
	}
	return f, nil
}

// pass returns when every packet sent before on this CPU has been dealt with.
func (f *fence) pass(ctx context.Context) error {
	f.seq++
	binary.NativeEndian.PutUint64(f.buf[:], f.seq)
	err := uninterrupted(func() error { return unix.Sendto(f.tx, f.buf[:], 0, f.to) })
	if err != nil {
		return fmt.Errorf("send fence: %w", err)
	}
	deadline := time.Now().Add(patience)
	for {
		switch seq, err := f.receive(); {
		case err != nil:
			return err
		case seq == f.seq:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(deadline):
			return errors.New("wait for fence: timeout, the packet did not come through")
		}
	}
}

// receive waits a little for a fence packet and returns its number, or 0.
func (f *fence) receive() (uint64, error) {
	n, _, err := unix.Recvfrom(f.rx, f.buf[:], unix.MSG_DONTWAIT)
	if errors.Is(err, unix.EAGAIN) {
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(f.rx), Events: unix.POLLIN}}, 10)
		n = 0
	}
	if err != nil && !errors.Is(err, unix.EINTR) {
		return 0, fmt.Errorf("wait for fence: %w", err)
	}
	if n != len(f.buf) {
		return 0, nil
	}
	return binary.NativeEndian.Uint64(f.buf[:]), nil
}

func (f *fence) close() error {
	return errors.Join(closeSocket(f.tx), closeSocket(f.rx))
}
