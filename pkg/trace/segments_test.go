// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestSegments has packets die that hold several datagrams, or as many bytes in one: each
// is one drop, and its segments are counted beside. They die ahead of the device, as a veth
// of 5.10 takes no such packets, and has them cut up.
func TestSegments(t *testing.T) {
	labtest.NeedRoot(t)
	for _, rung := range trace.Rungs() {
		t.Run(rung, func(t *testing.T) {
			n, err := lab.NewNet()
			labtest.Need(t, err)
			defer n.Close()
			if err := n.Tx.Do(func() error { return tagAndDrop(n.Tx.Device, 0) }); err != nil {
				t.Fatal(err)
			}
			for name, test := range map[string]struct {
				bytes, segment  int
				drops, segments uint64
			}{
				"40 datagrams a packet":  {40 * 100, 100, 10, 400},
				"the last is short":      {39*100 + 1, 100, 10, 400},
				"datagrams of one byte":  {5, 1, 10, 50},
				"one datagram a packet":  {1000, 0, 10, 10},
				"no more than one's fit": {100, 100, 10, 10},
			} {
				t.Run(name, func(t *testing.T) {
					tracer, err := trace.OpenBy(trace.Config{}, rung)
					if err != nil {
						t.Fatal(err)
					}
					s := watchBy(t, tracer, func(*seen) {
						if err := sendSegmented(n, 10, test.bytes, test.segment); err != nil {
							t.Error(err)
						}
					})
					var drops, segments, sampled uint64
					for _, c := range s.in(n.Tx.Netns) {
						drops += c.Drops
						segments += c.Segments
					}
					for i := range s.drops {
						if d := &s.drops[i]; d.Cell.Netns.Inode == n.Tx.Netns {
							sampled += d.Drops * uint64(d.Segments)
						}
					}
					if drops != test.drops || segments != test.segments || sampled != test.segments {
						t.Errorf("%d drops of %d segments, samples of %d; want %d of %d",
							drops, segments, sampled, test.drops, test.segments)
					}
				})
			}
		})
	}
}

// sendSegmented sends bytes from one end of a net to the other, so many times, and has the
// kernel make datagrams of a size of them; 0: of all.
func sendSegmented(n *lab.Net, times, bytes, size int) error {
	return n.Tx.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT, size); err != nil {
			return err
		}
		for range times {
			err := unix.Sendto(fd, make([]byte, bytes), 0, &unix.SockaddrInet4{Addr: n.Rx.Addr4.As4(), Port: 9})
			if err != nil && !errors.Is(err, unix.ECONNREFUSED) {
				return err
			}
		}
		return nil
	})
}
