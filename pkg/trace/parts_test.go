// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestParts has datagrams be put together of fragments: those that arrive are no drops,
// those that die are one each, and their fragments are parts, whatever is beside them.
func TestParts(t *testing.T) {
	labtest.NeedRoot(t)
	for _, rung := range trace.Rungs() {
		t.Run(rung, func(t *testing.T) {
			n, err := lab.NewNet()
			labtest.Need(t, err)
			defer n.Close()
			for name, test := range map[string]struct {
				send         func(*lab.Net) error
				drops, parts uint64
			}{
				// 20 008 bytes are 14 fragments, in both directions.
				"pings that are answered": {func(n *lab.Net) error { return ping(n, 5, 20_000) }, 0, 5 * 2 * 13},
				// 30 008 bytes are 21 fragments.
				"datagrams to a closed port": {func(n *lab.Net) error { return sendLarge(n, 10, 30_000) }, 10, 10 * 20},
			} {
				t.Run(name, func(t *testing.T) {
					tracer, err := trace.OpenBy(trace.Config{Exact: true}, rung)
					if err != nil {
						t.Fatal(err)
					}
					s := watchBy(t, tracer, func(*seen) {
						if err := lab.Pinned(-1, func() error { return test.send(n) }); err != nil {
							t.Error(err)
						}
					})
					var drops, parts uint64
					for _, netns := range []uint32{n.Tx.Netns, n.Rx.Netns, 0} { // fragments have lost their device
						for _, c := range s.in(netns) {
							if profile.IsPart(c.Cell) {
								parts += c.Drops
							} else if netns != 0 {
								drops += c.Drops
							}
							t.Logf("%d %s at %s", c.Drops, c.Cell.Reason, c.Cell.Location)
						}
					}
					if drops != test.drops || parts != test.parts {
						t.Errorf("%d drops and %d parts, want %d and %d", drops, parts, test.drops, test.parts)
					}
				})
			}
		})
	}
}

// ping sends echo requests with the given number of data bytes, and waits for each reply.
func ping(n *lab.Net, times, size int) error {
	if err := n.Tx.Sysctl("ipv4/ping_group_range", "0 0"); err != nil {
		return err
	}
	return n.Tx.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}); err != nil {
			return err
		}
		for i := range times {
			request := make([]byte, 8+size)
			request[0] = 8
			binary.BigEndian.PutUint16(request[6:], uint16(i))
			if err := unix.Sendto(fd, request, 0, &unix.SockaddrInet4{Addr: n.Rx.Addr4.As4()}); err != nil {
				return err
			}
			reply := make([]byte, 8+size)
			if got, _, err := unix.Recvfrom(fd, reply, 0); err != nil || got != len(reply) {
				return errors.Join(errors.New("no reply"), err)
			}
		}
		return nil
	})
}

// sendLarge sends datagrams with the given number of data bytes to a closed port.
func sendLarge(n *lab.Net, times, size int) error {
	to := netip.AddrPortFrom(n.Rx.Addr4, 9)
	return n.Tx.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		for range times {
			err := unix.Sendto(fd, make([]byte, size), 0, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
			if err != nil && !errors.Is(err, unix.ECONNREFUSED) {
				return err
			}
		}
		return nil
	})
}
