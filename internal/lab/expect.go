// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"net/netip"
	"slices"
	"strings"
)

// An Expect is what a tracer of skb:kfree_skb must have seen. All drops it speaks
// of are alike; no other drop in its Netns matches it.
type Expect struct {
	// Reasons are the names the kernel has had for the reason, without
	// SKB_DROP_REASON_, newest first. A kernel before 5.17 has none.
	Reasons []string
	// Netns is the inode number of the namespace the packets died in.
	Netns uint32
	// Device is the one the packets came in on, or were to leave by. That is
	// skb->dev, or where it has been reused (in sockets) skb->skb_iif, or where it
	// has yet to be set (in output hooks) the device of the packet's route.
	Device  string
	Ifindex int
	// Ethertype in host byte order; behind VLAN tags.
	Ethertype uint16
	// VLAN is the id of the tag that the packet still bears; 0 if none.
	VLAN uint16
	// Protocol is the IP protocol behind IPv6 extension headers; 0 if the packet
	// has none that can be read.
	Protocol uint8
	// Src and Dst are those of the packet, with port 0 for a protocol without
	// ports; invalid if the packet has none that can be read.
	Src, Dst netip.AddrPort
	// EchoID and EchoSeq are those of an ICMP echo.
	EchoID, EchoSeq uint16
	// Class is how bad such a drop is (dropreason.Class), where a kernel gives the first
	// of Reasons at a location that decides so; empty where the reason alone does.
	Class string
	// Drops is how many packets died.
	Drops uint64
	// Frames are functions that must all be on the kernel stack, in no order.
	// Each is given by the names it has had in different kernels.
	Frames [][]string
}

// MissingFrames returns those of e.Frames that are not among the symbols of a
// stack. What compilers append to a name after a dot (.isra.0, .cold) does not count.
func (e Expect) MissingFrames(stack []string) [][]string {
	var missing [][]string
	for _, names := range e.Frames {
		found := slices.ContainsFunc(stack, func(symbol string) bool {
			name, _, _ := strings.Cut(symbol, ".")
			return slices.Contains(names, name)
		})
		if !found {
			missing = append(missing, names)
		}
	}
	return missing
}

// An Outcome is what came of sending.
type Outcome struct {
	Expect Expect
	// Sent is how many packets were sent on purpose; more than Expect.Drops where
	// a queue had to be filled first, fewer where one packet was multiplied.
	Sent uint64
	// Counter names the counter of the kernel that moved by exactly Expect.Drops;
	// empty where no kernel counter tells these drops from other packets.
	Counter string
}

// frames lists functions that have never been renamed.
func frames(names ...string) [][]string {
	var all [][]string
	for _, name := range names {
		all = append(all, []string{name})
	}
	return all
}
