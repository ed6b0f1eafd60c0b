// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"fmt"

	"github.com/vishvananda/netlink"
)

// psched is the unit of time of qdiscs in nanoseconds (PSCHED_SHIFT in
// include/net/pkt_sched.h).
const psched = 64

// describeQdisc returns a qdisc's place, and its limit for kinds that have one.
func describeQdisc(found netlink.Qdisc) Qdisc {
	attrs := found.Attrs()
	major, _ := netlink.MajorMinor(attrs.Handle)
	q := Qdisc{Kind: found.Type(), Handle: fmt.Sprintf("%x:", major), Parent: parent(attrs.Parent)}
	switch found := found.(type) {
	case *netlink.Fq:
		q.Limit, q.Unit = found.PacketLimit, "packets"
	case *netlink.FqCodel:
		q.Limit, q.Unit = found.Limit, "packets"
	case *netlink.Sfq:
		q.Limit, q.Unit = found.Limit, "packets"
	case *netlink.Netem:
		q.Limit, q.Unit = found.Limit, "packets"
	case *netlink.Tbf:
		q.Limit, q.Unit = found.Limit, "bytes"
		if found.Peakrate == 0 {
			burst := uint64(found.Buffer) * psched * found.Rate / 1e9
			q.Options = fmt.Sprintf("rate %dbit burst %d", 8*found.Rate, burst)
		}
	}
	return q
}

func parent(handle uint32) string {
	switch handle {
	case netlink.HANDLE_ROOT:
		return "root"
	case netlink.HANDLE_INGRESS:
		return "ingress"
	}
	major, minor := netlink.MajorMinor(handle)
	if major == 0 {
		return fmt.Sprintf(":%x", minor)
	}
	return fmt.Sprintf("%x:%x", major, minor)
}
