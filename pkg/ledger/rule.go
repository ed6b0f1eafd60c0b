// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"regexp"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// kind says what a counter's movement tells.
type kind int

const (
	// byDrops: each step is a drop that was traced, but not each drop that may move it does.
	byDrops kind = iota
	// oneToOne: each step is a drop that was traced, and each such drop a step.
	oneToOne
	// partly: some steps are drops, the others losses of which no skb was freed as dropped.
	partly
	// unseen: no step is a drop, as there was no skb.
	unseen
	// echo: steps that are no drop lost no packet of their own: a message was used up, a
	// call failed. A row without a drop is left out.
	echo
)

// rule says how a counter is explained.
type rule struct {
	number int // of those of the source
	name   string
	kind   kind
	within string // the row of the same source and place that contains this one
	as     string // how dropreason.Info.Counters spells it; empty: like name
}

// rules are those of each source, in the order of rows. Counters without a rule tell of no
// loss of their own, or of one that is in another row.
var rules = map[event.CounterSource][]rule{
	// include/uapi/linux/if_link.h says what each counts.
	event.CounterLink: {
		{name: "rx_missed_errors", kind: unseen},
		{name: "rx_over_errors", kind: unseen},
		{name: "rx_fifo_errors", kind: unseen},
		{name: "rx_errors", kind: partly, as: "ip -s link: RX errors"},
		{name: "rx_length_errors", kind: unseen, within: "rx_errors"},
		{name: "rx_crc_errors", kind: unseen, within: "rx_errors"},
		{name: "rx_frame_errors", kind: unseen, within: "rx_errors"},
		{name: "rx_nohandler", kind: byDrops, as: "ip -s -s link: RX nohandler"},
		{name: "rx_dropped", kind: byDrops, as: "ip -s link: RX dropped"},
		{name: "rx_otherhost_dropped", kind: byDrops, as: "ip -s -s link: RX otherhost"},
		{name: "tx_dropped", kind: byDrops, as: "ip -s link: TX dropped"},
		{name: "tx_errors", kind: partly, as: "ip -s link: TX errors"},
		{name: "tx_aborted_errors", kind: unseen, within: "tx_errors"},
		{name: "tx_carrier_errors", kind: unseen, within: "tx_errors"},
		{name: "tx_fifo_errors", kind: unseen, within: "tx_errors"},
		{name: "tx_heartbeat_errors", kind: unseen, within: "tx_errors"},
		{name: "tx_window_errors", kind: unseen, within: "tx_errors"},
	},
	event.CounterSoftnet: {
		{name: "dropped", kind: oneToOne, as: "/proc/net/softnet_stat: dropped"},
	},
	event.CounterQdisc: {
		{name: "dropped", as: "tc -s qdisc: dropped"},
	},
	event.CounterNeighbour: {
		{name: "unresolved_discards", kind: oneToOne, as: "/proc/net/stat/arp_cache: unresolved_discards"},
		{name: "table_fulls", kind: partly, as: "/proc/net/stat/arp_cache: table_fulls"},
	},
	event.CounterConntrack: {
		{name: "drop", kind: byDrops, as: "conntrack -S: drop"},
		{name: "insert_failed", kind: byDrops, as: "conntrack -S: insert_failed"},
	},
	event.CounterProtocol: {
		{name: "IpInHdrErrors"},
		{name: "IpExtInCsumErrors", kind: oneToOne, within: "IpInHdrErrors"},
		{name: "IpInAddrErrors"},
		{name: "IpInUnknownProtos", kind: oneToOne},
		{name: "IpExtInNoRoutes"},
		{name: "IpExtInTruncatedPkts"},
		{name: "IpInDiscards"},
		{name: "IpOutDiscards"},
		{name: "IpOutNoRoutes", kind: partly},
		{name: "IpReasmFails", kind: partly},
		{name: "IpReasmTimeout", kind: partly, within: "IpReasmFails"},
		{name: "IpFragFails"},
		{name: "Ip6InHdrErrors"},
		{name: "Ip6InAddrErrors"},
		{name: "Ip6InUnknownProtos"},
		{name: "Ip6InNoRoutes"},
		{name: "Ip6InTruncatedPkts"},
		{name: "Ip6InTooBigErrors"},
		{name: "Ip6FragFails"},
		{name: "Ip6InDiscards"},
		{name: "Ip6OutDiscards"},
		{name: "Ip6OutNoRoutes", kind: partly},
		{name: "Ip6ReasmFails", kind: partly},
		{name: "Ip6ReasmTimeout", kind: partly, within: "Ip6ReasmFails"},
		{name: "TcpExtIPReversePathFilter", kind: oneToOne},
		// Errors about a socket that is not here are consumed: __udp4_lib_err, net/ipv4/udp.c.
		{name: "IcmpInErrors", kind: echo},
		{name: "IcmpInCsumErrors", kind: oneToOne, within: "IcmpInErrors"},
		{name: "Icmp6InErrors", kind: echo},
		{name: "Icmp6InCsumErrors", kind: oneToOne, within: "Icmp6InErrors"},
		{name: "UdpNoPorts", kind: oneToOne},
		{name: "UdpInErrors"},
		{name: "UdpRcvbufErrors", kind: oneToOne, within: "UdpInErrors"},
		{name: "UdpInCsumErrors", kind: oneToOne, within: "UdpInErrors"},
		{name: "UdpMemErrors", within: "UdpInErrors"},
		{name: "UdpIgnoredMulti"},
		// A datagram for which the socket's buffer has no room is not made: udp_sendmsg.
		{name: "UdpSndbufErrors", kind: echo},
		{name: "Udp6NoPorts", kind: oneToOne},
		{name: "Udp6InErrors"},
		{name: "Udp6RcvbufErrors", kind: oneToOne, within: "Udp6InErrors"},
		{name: "Udp6InCsumErrors", kind: oneToOne, within: "Udp6InErrors"},
		{name: "Udp6MemErrors", within: "Udp6InErrors"},
		{name: "Udp6IgnoredMulti"},
		{name: "Udp6SndbufErrors", kind: echo},
		{name: "TcpInErrs"},
		{name: "TcpInCsumErrors", kind: oneToOne, within: "TcpInErrs"},
		// A SYN that finds no room is consumed, not dropped: tcp_conn_request, net/ipv4/tcp_input.c.
		{name: "TcpExtListenDrops", kind: partly},
		{name: "TcpExtListenOverflows", kind: partly, within: "TcpExtListenDrops"},
		{name: "TcpExtTCPBacklogDrop"},
		{name: "TcpExtTCPRcvQDrop"},
		{name: "TcpExtTCPZeroWindowDrop"},
		{name: "TcpExtTCPOFODrop"},
		{name: "TcpExtPFMemallocDrop"},
		{name: "TcpExtTCPMinTTLDrop"},
		{name: "TcpExtBeyondWindow", kind: echo},
		{name: "TcpExtPAWSEstab", kind: echo},
		{name: "TcpExtPAWSActive", kind: echo},
		{name: "TcpExtPAWSOldAck", kind: echo},
		{name: "TcpExtPAWSTimewait", kind: echo},
		{name: "TcpExtTSEcrRejected", kind: echo},
	},
}

// rulesByName are rules by what they are of.
var rulesByName = func() map[event.CounterSource]map[string]*rule {
	all := map[event.CounterSource]map[string]*rule{}
	for source, rules := range rules {
		all[source] = map[string]*rule{}
		for i := range rules {
			rules[i].number = i
			all[source][rules[i].name] = &rules[i]
		}
	}
	return all
}()

// ruleOf returns the rule of a counter, nil if it has none.
func ruleOf(c *event.Counter) *rule {
	if r := rulesByName[c.Source][c.Name]; r != nil {
		return r
	}
	if c.Source == event.CounterXfrm {
		r := &rule{name: c.Name, as: "/proc/net/xfrm_stat: " + c.Name}
		if strings.HasPrefix(c.Name, "XfrmOut") || c.Name == "XfrmAcquireError" {
			r.kind = partly // a program's call fails before there is a packet (xfrm_lookup, net/xfrm/xfrm_policy.c)
		}
		return r
	}
	if c.Source == event.CounterDriver && dropsUnseen(c.Name) {
		return &rule{name: c.Name, kind: partly, as: "ethtool -S: " + anyQueue(c.Name)}
	}
	return nil
}

// dropsUnseen reports whether a driver's counter tells of packets that are in no
// counter of the interface: native XDP drops, those that the port discards before the
// host sees them (mlx5), and those that found no room in the ring (vmxnet3: not in
// vmxnet3_get_stats64, drivers/net/vmxnet3/vmxnet3_ethtool.c).
func dropsUnseen(name string) bool {
	return strings.Contains(name, "xdp") && strings.Contains(name, "drop") ||
		strings.HasSuffix(name, "_discards_phy") || name == "pkts rx OOB"
}

// spelling returns how the catalogue of reasons spells the counter.
func (r *rule) spelling() string {
	if r.as != "" {
		return r.as
	}
	return r.name
}

// anyQueue spells a driver's counter with N for the number of its queue.
func anyQueue(name string) string { return queueNumber.ReplaceAllString(name, "${1}N") }

// sumOf names the counter in which a driver adds up what it counts by queue too, whether
// it has one or not: rx_xdp_drop of mlx5, with rx0_xdp_drop. The name is empty for
// counters of no queue.
func sumOf(c *event.Counter) event.Counter {
	if c.Source != event.CounterDriver {
		return event.Counter{}
	}
	sum := *c
	if sum.Name = queueNumber.ReplaceAllString(c.Name, "$2"); sum.Name == c.Name {
		return event.Counter{}
	}
	return sum
}

// queueNumber finds the number of a queue in a driver's counter: rx_queue_0_xdp_drops,
// rx0_xdp_drop.
var queueNumber = regexp.MustCompile(`^((rx|tx)(?:_queue_|_)?)[0-9]+`)
