// SPDX-License-Identifier: Apache-2.0

package node

import "github.com/dropwatch/dropwatch/pkg/event"

// Link is a network interface. Its names are printable (event.Text).
type Link struct {
	Name       string
	Index      int
	Kind       string // IFLA_INFO_KIND: veth, bond, vxlan; empty for hardware and what acts as such
	Master     string // the bond, team, bridge, or netvsc device above it
	Lower      string // the device it stands on: of a vlan, macvlan, or tunnel
	Peer       *Peer  // of a veth
	MTU        int    // bytes
	Up         bool   // set up, and not without carrier
	Enabled    bool   // set up (IFF_UP)
	Carrier    bool   // set up, and what it sends gets somewhere (IFF_LOWER_UP)
	Speed      int    // Mb/s; 0 if unknown
	TxQueueLen int    // packets
	RxPackets  uint64 // since it was made
	RPFilter   int    // net.ipv4.conf.NAME.rp_filter; -1 if unknown
	Threaded   int    // whether threads poll it (since 5.12): 0, 1; -1 if unknown
	Unresolved Unresolved
	RxQueues   []RxQueue
	IRQs       []IRQ
	Qdiscs     []Qdisc
	Device     Device
}

// Peer is the other end of a veth pair.
type Peer struct {
	Netns event.Netns // zero if its namespace could not be opened
	Index int
	Name  string // empty if unknown
}

// Device is what a driver says of itself by ethtool.
type Device struct {
	Driver   string
	RxChecks bool // it checks checksums of what it receives, and can be told not to (rx-checksum)
	Ring     Ring
	Channels Channels
}

// Ring is the size of a device's receive ring, and what it can be, in descriptors of
// each queue (ETHTOOL_GRINGPARAM). Zero if unknown.
type Ring struct {
	Rx, RxMax uint32
}

// Channels are a device's receive queues, and how many it can have
// (ETHTOOL_GCHANNELS). Those that serve both directions are counted apart. Zero if
// unknown.
type Channels struct {
	Rx, RxMax             uint32
	Combined, CombinedMax uint32
}

// Unresolved is how much may wait for a neighbour's address on a device, in bytes
// (net.ipv4.neigh.NAME.unres_qlen_bytes); -1 if unknown.
type Unresolved struct {
	IPv4, IPv6 int
}

// RxQueue is one of a device's receive queues, as below /sys/class/net/*/queues.
type RxQueue struct {
	CPUs  []int // rps_cpus: where its packets are steered to; empty if they are not
	Flows int   // rps_flow_cnt
}

// IRQ is an interrupt of a device, and the CPUs it may come to.
type IRQ struct {
	Number int
	CPUs   []int
}

// Qdisc is a queueing discipline.
type Qdisc struct {
	Kind    string
	Handle  string // as tc prints it, "8001:"; "0:" if the kernel chose none
	Parent  string // "root", or a class of another: "1:2", ":2" if that has no handle
	Limit   uint32 // in Unit; 0 if it has none or none is known
	Unit    string // packets or bytes
	Options string // what tc has to repeat to change the limit: "rate 1000bit burst 10000"
}

// escape makes the names printable.
func (l *Link) escape() {
	for _, name := range []*string{&l.Name, &l.Kind, &l.Master, &l.Lower, &l.Device.Driver} {
		*name = event.Text([]byte(*name))
	}
	for i := range l.Qdiscs {
		l.Qdiscs[i].Kind = event.Text([]byte(l.Qdiscs[i].Kind))
	}
}

// Find returns the interface of that name, and false if there is none.
func (n Namespace) Find(name string) (Link, bool) {
	for _, link := range n.Links {
		if link.Name == name {
			return link, true
		}
	}
	return Link{}, false
}

// Below returns the interfaces under a bond, a team, or a netvsc device.
func (n Namespace) Below(master string) []Link {
	var below []Link
	for _, link := range n.Links {
		if link.Master == master && master != "" {
			below = append(below, link)
		}
	}
	return below
}
