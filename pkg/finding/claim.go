// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// A device counts packets of many causes under one name. Findings claim those that they
// explain, so that each is in one finding; dropped reports what is left.

// place is a counter of a device.
type place struct {
	netns        uint32
	device, name string
}

// claim takes packets that a finding explains out of what a device counted.
func (n *nodeInput) claim(ns node.Namespace, device, name string, packets uint64) {
	n.claims[place{ns.Netns.Inode, device, name}] += packets
}

// unclaimed is what a device's counter moved by without what findings claimed.
func (n *nodeInput) unclaimed(ns node.Namespace, device string, c change) uint64 {
	return less(c, change{moved: n.claims[place{ns.Netns.Inode, device, c.Name}]}).moved
}

// claimTraced claims what needs no finding of a device: benign packets, and those that
// found a full backlog, which backlogs reports. What a veth could not hand to its peer is
// the peer's.
func (n *nodeInput) claimTraced() {
	backlog := n.machine(event.CounterSoftnet, "dropped").moved
	for _, ns := range n.State.Namespaces {
		for _, link := range ns.Links {
			for name, spelling := range spellings {
				n.claim(ns, link.Name, name, n.tracedAt(ns, link, spelling, needsNothing))
			}
			received := n.ofDevice(event.CounterLink, ns, link.Name, "rx_dropped")
			if n.Traced == nil && received.moved <= backlog {
				n.claim(ns, link.Name, "rx_dropped", received.moved)
			}
			if peer, there := n.peerOf(link); peer != nil { // veth_xmit in drivers/net/veth.c
				taken := n.tracedAt(ns, link, spellings["rx_dropped"], isBenign)
				n.claim(there, peer.Name, "tx_dropped", received.moved-min(received.moved, taken))
			}
		}
	}
}

// spellings are those of dropreason.Info.Counters.
var spellings = map[string]string{"rx_dropped": "ip -s link: RX dropped", "tx_dropped": "ip -s link: TX dropped"}

func isBenign(info dropreason.Info) bool { return info.Class == dropreason.ClassBenign }

func needsNothing(info dropreason.Info) bool { return isBenign(info) || info.Name == "CPU_BACKLOG" }

// tracedAt adds up the drops at a device that move a counter of it. What rx_nohandler
// counts is not in rx_dropped (__netif_receive_skb_core in net/core/dev.c).
func (n *nodeInput) tracedAt(ns node.Namespace, link node.Link, spelling string, pick func(dropreason.Info) bool) uint64 {
	var sum uint64
	for _, count := range n.Traced {
		if info := dropreason.Of(count.Cell); isAt(count.Cell, ns, link) && counts(info, spelling) && pick(info) {
			sum += count.Drops
		}
	}
	if spelling == spellings["rx_dropped"] {
		sum -= min(sum, n.ofDevice(event.CounterLink, ns, link.Name, "rx_nohandler").moved)
	}
	return sum
}

func isAt(cell *event.Cell, ns node.Namespace, link node.Link) bool {
	switch {
	case cell.Netns.Inode != ns.Netns.Inode:
		return false
	case cell.Device.Index != 0:
		return cell.Device.Index == link.Index
	}
	return cell.Device.Name == link.Name
}

// counts reports whether such drops move a counter, whatever note follows it.
func counts(info dropreason.Info, spelling string) bool {
	return slices.ContainsFunc(info.Counters, func(counter string) bool {
		name, _, _ := strings.Cut(counter, " (")
		return name == spelling
	})
}

// tracedMost names the reasons of what died at a device, benign ones aside, three at most.
func (n *nodeInput) tracedMost(ns node.Namespace, link node.Link) []Fact {
	drops := map[string]uint64{}
	for _, count := range n.Traced {
		if isAt(count.Cell, ns, link) && !needsNothing(dropreason.Of(count.Cell)) {
			drops[count.Cell.Reason.String()] += count.Drops
		}
	}
	var names []string
	for name := range drops {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(drops[b], drops[a]), cmp.Compare(a, b)) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", drops[name], name)
	}
	if names == nil {
		return nil
	}
	return []Fact{{"traced", strings.Join(names[:min(3, len(names))], ", ")}}
}
