// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// vxlanOverhead is what VXLAN over IPv4 adds to a packet: Ethernet, IP, UDP, VXLAN.
const vxlanOverhead = 14 + 20 + 8 + 8

// tooBig count packets that do not fit and may not be split.
var tooBig = []string{"IpFragFails", "Ip6InTooBigErrors", "Ip6FragFails"}

// fragments speaks when packets were too big to be sent on and might not be split,
// someLoss or more a second: path MTU discovery loses a few by design.
func fragments(n *nodeInput) []found {
	var all []found
	for _, ns := range n.State.Namespaces {
		moved, facts := n.sum(ns, tooBig...)
		moved -= min(moved, n.claims[place{ns.Netns.Inode, "", tooBig[0]}])
		if n.perSecond(moved) < someLoss {
			continue
		}
		f := n.lossIn(ns, "mtu", moved, facts)
		f.Explain = say("%d packets were larger than the MTU of the way they had to take, and might not be split.", moved)
		for _, command := range []string{
			"add table inet dropwatch", "'add chain inet dropwatch forward { type filter hook forward priority mangle; }'",
			"add rule inet dropwatch forward tcp flags syn tcp option maxseg size set rt mtu",
		} {
			f.Fix = append(f.Fix, in(ns, "nft "+command))
		}
		f.Undo = []string{in(ns, "nft delete table inet dropwatch")}
		f.Persist = []string{"the node's firewall configuration, or the MTU of its network plugin"}
		n.daemonSet(&f)
		f.Cost = "a rule for each forwarded packet; only new connections of TCP are helped, other protocols need the MTUs to agree"
		all = append(all, found{f, n.perSecond(moved)})
	}
	return all
}

// peerMTUs speaks when the ends of a veth pair have different MTUs: what one end may send
// the other drops if it is larger (is_skb_forwardable). If one of them drops, that is a
// warning.
func peerMTUs(n *nodeInput) []found {
	var all []found
	for i, ns := range n.State.Namespaces {
		for _, link := range ns.Links {
			if link.Peer == nil || link.Peer.Name == "" {
				continue
			}
			there := n.namespace(link.Peer.Netns)
			peer, ok := there.Find(link.Peer.Name)
			if !ok || peer.MTU == link.MTU || n.toldBefore(i, there, link, peer) {
				continue
			}
			small, place := link, ns
			if peer.MTU < link.MTU {
				small, place = peer, there
			}
			lost := n.unclaimed(place, small.Name, n.ofDevice(event.CounterLink, place, small.Name, "rx_dropped"))
			n.claim(place, small.Name, "rx_dropped", lost)
			all = append(all, found{n.peerMTU(ns, there, link, peer, lost), n.perSecond(lost)})
		}
	}
	return all
}

// toldBefore tells of the second end of a pair.
func (n *nodeInput) toldBefore(i int, there node.Namespace, link, peer node.Link) bool {
	for j, ns := range n.State.Namespaces {
		if ns.Netns.Inode == there.Netns.Inode {
			return j < i || j == i && peer.Index < link.Index
		}
	}
	return false
}

func (n *nodeInput) peerMTU(ns, there node.Namespace, link, peer node.Link, lost uint64) Finding {
	f := Finding{
		ID: "mtu-peer", Severity: Info, Device: link.Name, Netns: ns.Netns,
		Evidence: []Fact{{"mtu", uint64(link.MTU)}, {"peer_mtu", uint64(peer.MTU)}, {"dropped", lost}},
		Explain:  say("%s has an MTU of %d and its peer one of %d: the end with the smaller drops what is larger.", title(link), link.MTU, peer.MTU),
		Persist:  []string{"the MTU in the configuration of the network plugin that makes the pair"},
		Cost:     "packets on this pair get smaller",
	}
	if lost > 0 {
		f.Severity = Warning
	}
	larger, space, then := link, ns, peer.MTU
	if peer.MTU > link.MTU {
		larger, space, then = peer, there, link.MTU
	}
	f.Fix = []string{in(space, fmt.Sprintf("ip link set dev %s mtu %d", quote(larger.Name), then))}
	f.Undo = []string{in(space, fmt.Sprintf("ip link set dev %s mtu %d", quote(larger.Name), larger.MTU))}
	return f
}

// tunnelMTUs speaks when a VXLAN device's packets do not fit into those of the device it
// stands on. If it drops some, as it may not split them, that is a warning.
func tunnelMTUs(n *nodeInput) []found {
	var all []found
	for _, ns := range n.State.Namespaces {
		for _, link := range ns.Links {
			lower, ok := ns.Find(link.Lower)
			if link.Kind != "vxlan" || !ok || !link.Up || link.MTU <= lower.MTU-vxlanOverhead {
				continue
			}
			f := Finding{
				ID: "mtu-tunnel", Severity: Info, Device: link.Name, Netns: ns.Netns,
				Evidence: []Fact{{"mtu", uint64(link.MTU)}, {"lower", lower.Name}, {"lower_mtu", uint64(lower.MTU)}},
				Explain:  say("%s has an MTU of %d, which with %d bytes of VXLAN does not fit into the %d of %s.", link.Name, link.MTU, vxlanOverhead, lower.MTU, lower.Name),
				Cost:     "packets of the tunnel get smaller; what is inside has to learn of it",
			}
			tooLarge, _ := n.sum(ns, tooBig...)
			sent := n.ofDevice(event.CounterLink, ns, link.Name, "tx_dropped")
			if lost := min(tooLarge, n.unclaimed(ns, link.Name, sent)); lost > 0 {
				f.Severity = Warning
				f.Evidence = append(f.Evidence, Fact{"dropped", lost})
				n.claim(ns, link.Name, "tx_dropped", lost)
				n.claim(ns, "", tooBig[0], lost)
			}
			fix := fmt.Sprintf("ip link set dev %s mtu %d", quote(link.Name), lower.MTU-vxlanOverhead)
			f.Fix = []string{in(ns, fix)}
			n.atStart(&f, ns, link.Name, fix)
			// vxlan_change_mtu in drivers/net/vxlan/vxlan_core.c
			f.Undo = []string{fmt.Sprintf("# none: the kernel lets %s have no MTU above %d while %s has %d", link.Name, lower.MTU-vxlanOverhead, lower.Name, lower.MTU)}
			all = append(all, found{f, 0})
		}
	}
	return all
}
