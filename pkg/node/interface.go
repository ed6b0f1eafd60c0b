// SPDX-License-Identifier: Apache-2.0

package node

import "github.com/dropwatch/dropwatch/pkg/event"

// Link is a network interface. Its names are printable (event.Text).
type Link struct {
	Name       string
	Index      int
	Kind       string // IFLA_INFO_KIND: veth, bond, vxlan; empty for hardware and other devices without it
	Master     string // the bond, team, bridge, or netvsc device that it belongs to
	Lower      string // the lower device of a vlan, macvlan, or tunnel
	Peer       *Peer  // of a veth
	MTU        int    // bytes
	Up         bool   // IFF_UP is set and the operational state is not down
	Enabled    bool   // IFF_UP is set
	Carrier    bool   // IFF_LOWER_UP is set
	Speed      int    // Mb/s; 0 if unknown
	TxQueueLen int    // packets
	RxPackets  uint64 // since the device was created
	RPFilter   int    // net.ipv4.conf.NAME.rp_filter; -1 if unknown
	Threaded   int    // threaded NAPI (5.12+): 0, 1; -1 if unknown
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

// Device is a driver's answers to ethtool.
type Device struct {
	Driver   string
	RxChecks bool // rx-checksum is on and can be turned off
	Ring     Ring
	Channels Channels
}

// Ring is the size and the maximum size of a device's receive rings, in descriptors per queue
// (ETHTOOL_GRINGPARAM). Zero if unknown.
type Ring struct {
	Rx, RxMax uint32
}

// Channels is the number and the maximum number of a device's receive queues
// (ETHTOOL_GCHANNELS). Combined queues serve both directions. Zero if unknown.
type Channels struct {
	Rx, RxMax             uint32
	Combined, CombinedMax uint32
}

// Unresolved is the limit of the packets that wait for a neighbor's address on a device, in
// bytes (net.ipv4.neigh.NAME.unres_qlen_bytes); -1 if unknown.
type Unresolved struct {
	IPv4, IPv6 int
}

// RxQueue is a receive queue of a device, from /sys/class/net/*/queues.
type RxQueue struct {
	CPUs  []int // rps_cpus: the CPUs that RPS steers packets to; empty if RPS is off
	Flows int   // rps_flow_cnt
}

// IRQ is an interrupt of a device.
type IRQ struct {
	Number int
	CPUs   []int // smp_affinity_list
}

// Qdisc is a queueing discipline.
type Qdisc struct {
	Kind    string
	Handle  string // as tc prints it, "8001:"; "0:" for a default qdisc without a handle
	Parent  string // "root", or a class of another qdisc: "1:2", ":2" if that has no handle
	Limit   uint32 // in Unit; 0 if the qdisc has no limit or the limit is unknown
	Unit    string // packets or bytes
	Options string // options that tc must repeat to change the limit: "rate 1000bit burst 10000"
}

// escape replaces the names by their printable forms (event.Text).
func (l *Link) escape() {
	for _, name := range []*string{&l.Name, &l.Kind, &l.Master, &l.Lower, &l.Device.Driver} {
		*name = event.Text([]byte(*name))
	}
	for i := range l.Qdiscs {
		l.Qdiscs[i].Kind = event.Text([]byte(l.Qdiscs[i].Kind))
	}
}

// Find returns the interface with a name, and false if it does not exist.
func (n Namespace) Find(name string) (Link, bool) {
	for _, link := range n.Links {
		if link.Name == name {
			return link, true
		}
	}
	return Link{}, false
}

// Below returns the interfaces whose master is a bond, a team, or a netvsc device.
func (n Namespace) Below(master string) []Link {
	var below []Link
	for _, link := range n.Links {
		if link.Master == master && master != "" {
			below = append(below, link)
		}
	}
	return below
}
