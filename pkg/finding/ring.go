// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// rings speaks when packets found no room in a device's receive ring: in the interval,
// or, where the ring could be larger, since boot, for information (see lostBefore). It names the device
// that has the ring: under a bond, or the VF under a netvsc device.
func rings(n *nodeInput) []found {
	var all []found
	for _, ns := range n.State.Namespaces {
		for _, link := range hardware(ns) {
			missed := n.missed(ns, link)
			for _, below := range ns.Below(link.Name) {
				missed = less(missed, n.missed(ns, below))
			}
			grows := link.Device.Ring.Rx < link.Device.Ring.RxMax
			if missed.moved == 0 && !(grows && lostBefore(missed.total, link.RxPackets)) {
				continue
			}
			all = append(all, found{n.ring(ns, link, missed, n.losing(missed.moved)), n.weight(missed)})
		}
	}
	return all
}

// missed is what a device had no descriptors for: rx_missed_errors, or, with drivers
// that count it elsewhere, rx_fifo_errors, mlx5's rx_out_of_buffer, or vmxnet3's "pkts rx
// OOB" (out of buffers). It may be counted under more than one name.
func (n *nodeInput) missed(ns node.Namespace, link node.Link) change {
	most := n.ofDevice(event.CounterLink, ns, link.Name, "rx_missed_errors")
	for _, other := range []change{
		n.ofDevice(event.CounterLink, ns, link.Name, "rx_fifo_errors"),
		n.ofDevice(event.CounterDriver, ns, link.Name, "rx_out_of_buffer"),
		n.ofDevice(event.CounterDriver, ns, link.Name, "pkts rx OOB"),
	} {
		if other.moved > most.moved || most.moved == 0 && other.total > most.total {
			most = other
		}
	}
	return most
}

// less is a master's counter without what a device below it counted.
func less(c, below change) change {
	c.moved -= min(c.moved, below.moved)
	c.total -= min(c.total, below.total)
	return c
}

// weight orders findings of one severity: what is lost now counts first.
func (n *nodeInput) weight(c change) float64 {
	if c.moved > 0 {
		return n.perSecond(c.moved)
	}
	return 0
}

func (n *nodeInput) ring(ns node.Namespace, link node.Link, missed change, severity Severity) Finding {
	ring, channels := link.Device.Ring, link.Device.Channels
	f := Finding{ID: "rx-ring", Severity: severity, Device: link.Name, Netns: ns.Netns, Evidence: n.facts(missed.Name, missed)}
	f.Evidence = append(f.Evidence, Fact{"rx_packets_total", link.RxPackets})
	if link.Master != "" {
		f.Evidence = append(f.Evidence, Fact{"master", link.Master})
	}
	name := quote(link.Name)
	switch queues := max(1, channels.Rx+channels.Combined); {
	case ring.RxMax == 0:
		f.Explain = say("%s had no free receive descriptor for %d packets since boot; how large its ring is could not be read.", title(link), missed.total)
	case ring.Rx < ring.RxMax:
		f.Evidence = append(f.Evidence, ringFacts(ring)...)
		f.Explain = say("%s had no free receive descriptor for %d packets since boot, and its ring has %d of %d possible: bursts overflow it.", title(link), missed.total, ring.Rx, ring.RxMax)
		n.onDevice(&f, ns, link.Name, fmt.Sprintf("ethtool -G %s rx %d", name, ring.RxMax), fmt.Sprintf("ethtool -G %s rx %d", name, ring.Rx))
		f.Cost = say("%s more memory (%d queues of %d more buffers of %d bytes); many drivers stop for a moment to change it; a full ring takes longer to empty", mebibytes(uint64(queues)*uint64(ring.RxMax-ring.Rx)*buffer(link.MTU)), queues, ring.RxMax-ring.Rx, buffer(link.MTU))
	default:
		f.Evidence = append(f.Evidence, ringFacts(ring)...)
		f.Explain = say("%s had no free receive descriptor for %d packets since boot though its ring is as large as it can be: the CPUs that empty it do not keep up.", title(link), missed.total)
		n.moreChannels(&f, ns, link)
	}
	return f
}

func ringFacts(ring node.Ring) []Fact {
	return []Fact{{"ring_rx", uint64(ring.Rx)}, {"ring_rx_max", uint64(ring.RxMax)}}
}

// buffer is about what a driver allocates for a packet: a power of two, in bytes.
func buffer(mtu int) uint64 {
	size := uint64(2048)
	for size < uint64(mtu)+128 {
		size *= 2
	}
	return size
}
