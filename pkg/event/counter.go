// SPDX-License-Identifier: Apache-2.0

package event

import "time"

// Counters are what the node itself counts of its lost packets, at one moment: what is
// new or has changed since the event before. A source yields them at its start and its
// end, and in between now and then.
type Counters struct {
	Time time.Duration // since Meta.Start
	// Gone are counters whose device or namespace is gone. They come first: one that is in
	// Readings too, or in a later event, is another one, of a new device or namespace that
	// has its number. Some may never have been in Readings.
	Gone []Counter
	// Readings are of counters that are new or have changed. Those that appear after the
	// first event may be left out while they are 0.
	Readings []Reading
	// Bases are where counters that appear after the first event start from: 0 if they are
	// known to be new, the last value at the place their device was moved from, or the first
	// one read where nobody knows when they began. The reading of the same counter is in
	// Readings. One without a base starts from 0.
	Bases []Reading
	Links []Link
}

func (*Counters) event() {}

// Reading is the value of a counter.
type Reading struct {
	Counter
	Value uint64
}

// Counter names one of the node's counters. Names of devices and namespaces may change;
// ID tells whether two are the same.
type Counter struct {
	Source CounterSource
	Name   string // as the source spells it
	Netns  Netns  // zero for those of the whole machine
	Device string // empty if it is of no device
	Index  int    // of the device; 0 if it is of none, and in recordings before schema 4
	Part   string // which of several of that name: "cpu 3", "tbf 1:"; else empty
}

// CounterID is what stays of a Counter while devices and namespaces are renamed. It is
// comparable.
type CounterID struct {
	Source CounterSource
	Name   string
	Netns  uint32
	Device DeviceID
	Part   string
}

// ID returns what tells the counter from others.
func (c *Counter) ID() CounterID {
	return CounterID{c.Source, c.Name, c.Netns.Inode, c.DeviceID(), c.Part}
}

// DeviceID returns what tells the counter's device from others, zero if it is of none.
func (c *Counter) DeviceID() DeviceID { return NewDeviceID(c.Netns, c.Index, c.Device) }

// DeviceID tells network devices apart: by namespace and index, or by namespace and name
// where no index is known, as in recordings before schema 4. Zero stands for no device.
type DeviceID struct {
	Netns uint32
	Index int
	Name  string // empty if Index is not 0
}

// NewDeviceID returns the identity of a device, zero if it has neither index nor name.
func NewDeviceID(netns Netns, index int, name string) DeviceID {
	switch {
	case index != 0:
		return DeviceID{Netns: netns.Inode, Index: index}
	case name != "":
		return DeviceID{Netns: netns.Inode, Name: name}
	}
	return DeviceID{}
}

// CounterSource is where a counter is read, and how its names are spelled.
type CounterSource string

const (
	// CounterLink are those of every interface (struct rtnl_link_stats64), as below
	// /sys/class/net/*/statistics: rx_missed_errors.
	CounterLink CounterSource = "link"
	// CounterDriver are those that a driver makes up, as ethtool -S prints them.
	CounterDriver CounterSource = "driver"
	// CounterSoftnet are the columns of /proc/net/softnet_stat, by CPU: dropped,
	// time_squeeze, flow_limit, and backlog_len, which is how many packets wait.
	CounterSoftnet CounterSource = "softnet"
	// CounterQdisc are those of queueing disciplines, as tc -s qdisc prints them:
	// dropped, overlimits.
	CounterQdisc CounterSource = "qdisc"
	// CounterProtocol are those of protocols, as nstat prints them: UdpRcvbufErrors,
	// TcpExtListenDrops, Ip6InDiscards.
	CounterProtocol CounterSource = "protocol"
	// CounterConntrack are the columns of /proc/net/stat/nf_conntrack, of all CPUs:
	// drop, early_drop, insert_failed.
	CounterConntrack CounterSource = "conntrack"
	// CounterNeighbour are the columns of /proc/net/stat/arp_cache and ndisc_cache (as
	// Part), of all CPUs: unresolved_discards, table_fulls.
	CounterNeighbour CounterSource = "neighbour"
	// CounterXfrm are the lines of /proc/net/xfrm_stat.
	CounterXfrm CounterSource = "xfrm"
)

// Link is a network interface as far as it explains counters.
type Link struct {
	Name      string
	Index     int // in its namespace; 0 in recordings before schema 4
	Netns     Netns
	Kind      string // as ip -d link prints it: "veth"; empty for hardware
	Peer      string // of a veth, if it is known
	PeerIndex int    // in PeerNetns; 0 likewise
	PeerNetns Netns
	NativeXDP bool // an XDP program runs in its driver
}

// ID returns what tells the interface from others.
func (l Link) ID() DeviceID { return NewDeviceID(l.Netns, l.Index, l.Name) }

// PeerID returns what tells the other end of a veth from other devices, zero if it is not
// known.
func (l Link) PeerID() DeviceID { return NewDeviceID(l.PeerNetns, l.PeerIndex, l.Peer) }
