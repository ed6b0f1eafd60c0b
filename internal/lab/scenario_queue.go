// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// queueScenarios are deaths in queues that are full.
func queueScenarios() []Scenario {
	return []Scenario{
		{Name: "tbf-overlimit", Doc: "a token bucket filter with a full queue", prepare: tbfOverlimit},
		{Name: "tun-full", Doc: "a tun device whose reader is too slow", prepare: tunFull},
		{Name: "cpu-backlog", Doc: "a CPU's backlog over net.core.netdev_max_backlog", prepare: cpuBacklog},
	}
}

// tbfOverlimit uses a queue with room for one byte: it is full for every packet,
// and holds none that would have to be got rid of afterwards.
func tbfOverlimit(s *Scene) error {
	s.expect.Reasons = []string{"QDISC_DROP_GENERIC", "QDISC_DROP_OVERLIMIT", "QDISC_OVERLIMIT", "QDISC_DROP"}
	s.expect.Frames = [][]string{{"__dev_queue_xmit"}, {"udp_sendmsg"}}
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	s.diesAt(s.net.Tx)
	s.tally = s.net.Tx.qdiscTally("tbf")
	tbf := &netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{
			LinkIndex: s.net.Tx.Ifindex, Parent: netlink.HANDLE_ROOT, Handle: netlink.MakeHandle(1, 0),
		},
		Rate:   125_000,         // bytes per second
		Buffer: 80_000_000 / 64, // ticks of 64 ns: a burst of 10 000 bytes
		Limit:  1,               // byte
	}
	if err := s.net.Tx.nl.QdiscAdd(tbf); err != nil {
		return fmt.Errorf("add tbf to %s: %w", s.net.Tx.Device, lacking(err, unix.ENOENT))
	}
	return s.leaves(s.datagrams(src, dst, nil))
}
