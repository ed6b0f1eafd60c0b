// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestManyFlows: flows take no cells, so that any number of them is counted, and
// with every drop unwound each is told.
func TestManyFlows(t *testing.T) {
	labtest.NeedRoot(t)
	n, err := lab.NewNet()
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	flood, err := n.NewFlood(lab.FloodOptions{})
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := flood.Close(); err != nil {
			t.Error(err)
		}
	})
	const flows, first = 10_000, 30_000
	to := flood.Expect().Dst
	s := watch(t, trace.Config{Exact: true, RingBytes: 64 << 20}, func() {
		err := n.Tx.Do(func() error {
			for i := range flows {
				if err := sendFrom(first+i, to.Addr().As4(), int(to.Port())); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	var counted uint64
	cells := 0
	for _, c := range s.in(n.Rx.Netns) {
		counted += c.Drops
		cells++
	}
	seen := map[uint16]bool{}
	for i := range s.drops {
		if d := &s.drops[i]; d.Cell.Netns.Inode == n.Rx.Netns {
			seen[d.Packet.SrcPort] = true
		}
	}
	if counted != flows || len(seen) != flows || cells != 1 {
		t.Errorf("%d drops of %d flows in %d cells, want %d of as many in 1", counted, len(seen), cells, flows)
	}
}

// sendFrom sends a datagram from a port.
func sendFrom(port int, to [4]byte, toPort int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: port}); err != nil {
		return err
	}
	return unix.Sendto(fd, []byte("flow"), 0, &unix.SockaddrInet4{Port: toPort, Addr: to})
}
