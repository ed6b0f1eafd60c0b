// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// downs speaks of devices that are down or have no carrier and that packets were sent to
// in the interval. The kernel then gives their queues the qdisc noop, which drops each
// packet and counts it in tx_dropped (noop_enqueue in net/sched/sch_generic.c; since 6.12,
// older kernels count it nowhere).
func downs(n *nodeInput) []found {
	var all []found
	for _, ns := range n.State.Namespaces {
		for _, link := range ns.Links {
			if link.Enabled && link.Carrier {
				continue
			}
			c := n.ofDevice(event.CounterLink, ns, link.Name, "tx_dropped")
			moved := n.unclaimed(ns, link.Name, c)
			n.claim(ns, link.Name, "tx_dropped", moved)
			moved += n.reachedDown(link)
			if moved == 0 {
				continue
			}
			f := Finding{ID: "link-down", Severity: n.losing(moved), Device: link.Name, Netns: ns.Netns, Evidence: n.facts("tx_dropped", c)}
			f.Explain = say("%d packets were sent to %s, which drops them all: ", moved, title(link))
			n.bringUp(&f, ns, link, mostStacked)
			all = append(all, found{f, n.perSecond(moved)})
		}
	}
	return all
}

// reachedDown claims and returns the packets that a veth still handed to a peer that was
// down. Linkwatch takes up to a second to notice the lost carrier and give the veth the
// qdisc noop (linkwatch_urgent_event in net/core/link_watch.c). Until then the packets die
// in front of the peer's backlog: rx_dropped of the peer counts them
// (enqueue_to_backlog in net/core/dev.c), and tx_dropped of the veth, which claimTraced
// has claimed.
func (n *nodeInput) reachedDown(link node.Link) uint64 {
	peer, there := n.peerOf(link)
	if peer == nil || peer.Enabled {
		return 0
	}
	moved := n.unclaimed(there, peer.Name, n.ofDevice(event.CounterLink, there, peer.Name, "rx_dropped"))
	n.claim(there, peer.Name, "rx_dropped", moved)
	return moved
}

// mostStacked is how many devices may stand on one another (MAX_NEST_DEV in
// include/linux/netdevice.h).
const mostStacked = 8

// bringUp says why a device has no carrier, and adds what gives it one.
func (n *nodeInput) bringUp(f *Finding, ns node.Namespace, link node.Link, depth int) {
	f.Cost = "packets that are dropped here now go on"
	lower, stacked := ns.Find(link.Lower)
	peer, there := n.peerOf(link)
	below := ns.Below(link.Name)
	switch {
	case !link.Enabled:
		f.Explain += say("%s is down.", link.Name)
		n.setUp(f, ns, link)
	case peer != nil && !peer.Enabled:
		f.Explain += say("the peer of %s, %s in namespace %s, is down.", link.Name, peer.Name, there.Netns)
		n.setUp(f, there, *peer)
	case link.Peer != nil:
		f.Explain += say("%s has no carrier, and what its peer is set to could not be read.", link.Name)
		f.Fix = []string{"# set up the other end of " + link.Name + ", in the namespace that it is in"}
	case link.Kind == "tuntap":
		f.Explain += say("no program has %s open, which would take the packets.", link.Name)
		f.Fix = []string{"# start the program that opens " + link.Name + " (a VPN, a virtual machine), or remove what leads there:", in(ns, "ip route show dev "+quote(link.Name))}
	case stacked && depth > 0 && !(lower.Enabled && lower.Carrier):
		f.Explain += say("%s stands on %s. ", link.Name, lower.Name)
		n.bringUp(f, ns, lower, depth-1)
	case len(below) > 0:
		f.Explain += say("none of the %d devices below %s has a carrier.", len(below), link.Name)
		for _, port := range below {
			if !port.Enabled {
				n.setUp(f, ns, port)
			}
		}
		if len(f.Fix) == 0 {
			f.Fix = []string{in(ns, "ip link show master "+quote(link.Name))}
			f.Cost = "none: it only shows the devices below"
		}
	case link.Kind == "bridge" || sumsUp(link):
		f.Explain += say("%s has no device below it that could carry them.", link.Name)
		f.Fix = []string{"# give " + link.Name + " a port, or remove what leads there:", in(ns, "ip route show dev "+quote(link.Name))}
	default:
		f.Explain += say("%s has no carrier: its cable, its transceiver, or the port at the other end.", link.Name)
		f.Fix = []string{in(ns, "ethtool "+quote(link.Name))}
		f.Cost = "none: it only shows speed and link"
	}
}

func (n *nodeInput) setUp(f *Finding, ns node.Namespace, link node.Link) {
	command := "ip link set dev " + quote(link.Name) + " "
	n.onDevice(f, ns, link.Name, command+"up", command+"down")
	if ns.Path != "" {
		f.keep(fmt.Sprintf("what makes namespace %s has to set it up", ns.Netns))
	}
}

// peerOf returns the other end of a veth and the namespace it is in, nil if it is not
// known.
func (n *nodeInput) peerOf(link node.Link) (*node.Link, node.Namespace) {
	if link.Peer == nil || link.Peer.Name == "" {
		return nil, node.Namespace{}
	}
	there := n.namespace(link.Peer.Netns)
	peer, ok := there.Find(link.Peer.Name)
	if !ok {
		return nil, there
	}
	return &peer, there
}
