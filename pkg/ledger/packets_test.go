// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// died is a cell whose location is a function.
func died(reason, function string, device event.Device, netns event.Netns, protocol uint8) *event.Cell {
	return &event.Cell{
		Reason: event.Reason{Name: reason}, Location: &event.Frame{Addr: 1, Symbol: function}, Device: device,
		Netns: netns, Ethertype: event.EthertypeIPv4, Protocol: protocol,
	}
}

// vague is a cell of a kernel on which the location does not say what the reason stands for.
func vague(c *event.Cell) *event.Cell {
	c.Reason.Vague = true
	return c
}

// TestPackets: a packet is in one row, whatever counters it moves; the others say whose
// packets they count.
func TestPackets(t *testing.T) {
	of := func(source event.CounterSource, name string, index int, netns event.Netns, part string) event.Counter {
		c := event.Counter{Source: source, Name: name, Netns: netns, Index: index, Part: part}
		if index != 0 {
			c.Device = map[int]string{1: "lo", 2: "eth0", 7: "veth7"}[index]
		}
		return c
	}
	link := func(name string, index int, netns event.Netns) event.Counter {
		return of(event.CounterLink, name, index, netns, "")
	}
	protocol := func(name string, netns event.Netns) event.Counter {
		return of(event.CounterProtocol, name, 0, netns, "")
	}
	veths := []event.Link{
		{Name: "veth7", Index: 7, Netns: host, Kind: "veth", Peer: "eth0", PeerIndex: 2, PeerNetns: pod},
		{Name: "eth0", Index: 2, Netns: pod, Kind: "veth", Peer: "veth7", PeerIndex: 7, PeerNetns: host},
	}
	eth0, veth7 := event.Device{Index: 2, Name: "eth0"}, event.Device{Index: 7, Name: "veth7"}
	type want struct {
		Row            string
		Traced, Unseen uint64
		Unexplained    int64
		Packets        uint64
		Mirrors        string
	}
	for name, test := range map[string]struct {
		steps              []step
		drops              map[*event.Cell]uint64
		want               []want
		counted, explained uint64
		benign, uncounted  uint64
	}{
		"a full backlog over a veth": {
			steps: []step{
				{link("rx_dropped", 2, pod), 50}, {link("tx_dropped", 7, host), 50},
				{of(event.CounterSoftnet, "dropped", 0, event.Netns{}, "cpu 0"), 50},
				{protocol("IpOutDiscards", host), 30},
			},
			drops: map[*event.Cell]uint64{died("CPU_BACKLOG", "enqueue_to_backlog", eth0, pod, udp): 50},
			want: []want{
				{"link rx_dropped on eth0 in 2", 50, 0, 0, 50, ""},
				{"link tx_dropped on veth7 in host", 50, 0, 0, 0, "link rx_dropped on eth0 in 2"},
				{"softnet dropped", 50, 0, 0, 0, "link rx_dropped on eth0 in 2"},
				{"protocol IpOutDiscards in host", 30, 0, 0, 0, "link rx_dropped on eth0 in 2"},
			},
			counted: 50, explained: 50,
		},
		"the same, and nobody saw it": {
			steps: []step{
				{link("rx_dropped", 2, pod), 50}, {link("tx_dropped", 7, host), 50},
				{of(event.CounterSoftnet, "dropped", 0, event.Netns{}, "cpu 0"), 60},
			},
			want: []want{
				{"link rx_dropped on eth0 in 2", 0, 0, 50, 50, ""},
				{"link tx_dropped on veth7 in host", 0, 0, 50, 0, "link rx_dropped on eth0 in 2"},
				{"softnet dropped", 0, 0, 60, 10, ""},
			},
			counted: 60,
		},
		"larger than the other end takes": {
			steps: []step{
				{link("rx_dropped", 2, pod), 40}, {link("tx_dropped", 7, host), 40}, {protocol("IpOutDiscards", host), 40},
			},
			drops: map[*event.Cell]uint64{died("NOT_SPECIFIED", "__dev_forward_skb2", veth7, host, udp): 40},
			want: []want{
				{"link rx_dropped on eth0 in 2", 40, 0, 0, 40, ""},
				{"link tx_dropped on veth7 in host", 40, 0, 0, 0, "link rx_dropped on eth0 in 2"},
				{"protocol IpOutDiscards in host", 40, 0, 0, 0, "link rx_dropped on eth0 in 2"},
			},
			counted: 40, explained: 40,
		},
		"a policy of IPsec": {
			steps: []step{{protocol("UdpInErrors", pod), 40}, {of(event.CounterXfrm, "XfrmInPolBlock", 0, pod, ""), 30}, {of(event.CounterXfrm, "XfrmInNoPols", 0, pod, ""), 10}},
			drops: map[*event.Cell]uint64{vague(died("NOT_SPECIFIED", "__udp4_lib_rcv", eth0, pod, udp)): 40},
			want: []want{
				{"protocol UdpInErrors in 2", 40, 0, 0, 40, ""},
				{"xfrm XfrmInNoPols in 2", 10, 0, 0, 0, "protocol UdpInErrors in 2"},
				{"xfrm XfrmInPolBlock in 2", 30, 0, 0, 0, "protocol UdpInErrors in 2"},
			},
			counted: 40, explained: 40,
		},
		"calls that IPsec refuses": {
			steps:   []step{{of(event.CounterXfrm, "XfrmOutPolBlock", 0, pod, ""), 5}},
			want:    []want{{"xfrm XfrmOutPolBlock in 2", 0, 5, 0, 5, ""}},
			counted: 5, explained: 5,
		},
		"rivals under one reason": {
			steps: []step{{protocol("UdpNoPorts", pod), 30}, {protocol("UdpInErrors", pod), 10}, {protocol("UdpInCsumErrors", pod), 10}},
			drops: map[*event.Cell]uint64{vague(died("NOT_SPECIFIED", "__udp4_lib_rcv", eth0, pod, udp)): 40},
			want: []want{
				{"protocol UdpNoPorts in 2", 30, 0, 0, 30, ""},
				{"protocol UdpInErrors in 2", 10, 0, 0, 10, ""},
				{"protocol UdpInCsumErrors in 2", 10, 0, 0, 0, ""},
			},
			counted: 40, explained: 40,
		},
		"a queue, and no carrier": {
			steps: []step{{link("tx_dropped", 7, host), 40}, {of(event.CounterQdisc, "dropped", 7, host, "tbf 1:"), 20}},
			drops: map[*event.Cell]uint64{vague(died("QDISC_DROP", "__dev_queue_xmit", veth7, host, udp)): 60},
			want: []want{
				{"link tx_dropped on veth7 in host", 40, 0, 0, 40, ""},
				{"qdisc dropped on veth7 in host", 20, 0, 0, 20, ""},
			},
			counted: 60, explained: 60,
		},
		"no carrier before 6.3": {
			steps:     []step{{of(event.CounterQdisc, "dropped", 7, host, "tbf 1:"), 0}},
			drops:     map[*event.Cell]uint64{vague(died("QDISC_DROP", "__dev_queue_xmit", veth7, host, udp)): 60},
			uncounted: 60,
		},
		"native XDP on a veth, and on hardware": {
			steps: []step{
				{of(event.CounterDriver, "rx_queue_0_xdp_drops", 2, pod, ""), 40},
				{of(event.CounterDriver, "rx_xdp_drop", 1, host, ""), 9}, {of(event.CounterDriver, "rx0_xdp_drop", 1, host, ""), 9},
			},
			drops: map[*event.Cell]uint64{died("NOT_SPECIFIED", "veth_xdp_rcv_skb", eth0, pod, udp): 40},
			want: []want{
				{"driver rx_queue_0_xdp_drops on eth0 in 2", 40, 0, 0, 40, ""},
				{"driver rx_xdp_drop on lo in host", 0, 9, 0, 9, ""},
				{"driver rx0_xdp_drop on lo in host", 0, 9, 0, 0, ""},
			},
			counted: 49, explained: 49,
		},
		"a cell that no sample named": {
			steps:   []step{{link("rx_dropped", 2, pod), 40}},
			drops:   map[*event.Cell]uint64{died("CPU_BACKLOG", "enqueue_to_backlog", event.Device{Index: 2}, pod, udp): 40},
			want:    []want{{"link rx_dropped on eth0 in 2", 40, 0, 0, 40, ""}},
			counted: 40, explained: 40,
		},
		"what nobody misses": {
			steps: []step{{link("rx_dropped", 2, pod), 40}, {protocol("UdpIgnoredMulti", pod), 5}, {protocol("UdpNoPorts", pod), 3}},
			drops: map[*event.Cell]uint64{
				died("UNHANDLED_PROTO", "__netif_receive_skb_core", eth0, pod, 0):         40,
				died("NOT_SPECIFIED", "__udp4_lib_mcast_deliver", eth0, pod, udp):         5,
				died("NO_SOCKET", "__udp4_lib_rcv", eth0, pod, udp):                       3,
				died("NOT_SPECIFIED", "ip6_mc_input", event.Device{Index: 2}, pod, icmp6): 7,
			},
			want: []want{
				{"link rx_dropped on eth0 in 2", 40, 0, 0, 0, ""},
				{"protocol UdpNoPorts in 2", 3, 0, 0, 3, ""},
				{"protocol UdpIgnoredMulti in 2", 5, 0, 0, 0, ""},
			},
			counted: 3, explained: 3, benign: 45, uncounted: 7,
		},
		"less counted than lost and not": {
			steps: []step{{link("rx_dropped", 2, pod), 50}},
			drops: map[*event.Cell]uint64{
				died("UNHANDLED_PROTO", "__netif_receive_skb_core", eth0, pod, 0): 40,
				died("CPU_BACKLOG", "enqueue_to_backlog", eth0, pod, udp):         30,
			},
			want:    []want{{"link rx_dropped on eth0 in 2", 50, 0, 0, 30, ""}},
			counted: 30, explained: 30, benign: 20, uncounted: 20,
		},
		"another device of that name": {
			steps: []step{{link("rx_dropped", 2, pod), 40}},
			drops: map[*event.Cell]uint64{
				died("UNHANDLED_PROTO", "__netif_receive_skb_core", event.Device{Index: 9, Name: "eth0"}, pod, 0): 40,
			},
			want:    []want{{"link rx_dropped on eth0 in 2", 0, 0, 40, 40, ""}},
			counted: 40, uncounted: 40,
		},
		"errors that were used up": {
			steps: []step{{protocol("IcmpInErrors", pod), 40}, {protocol("UdpSndbufErrors", pod), 7}},
		},
		"errors, some of them drops": {
			steps:   []step{{protocol("IcmpInErrors", pod), 40}},
			drops:   map[*event.Cell]uint64{died("ICMP_CSUM", "icmp_rcv", eth0, pod, icmp4): 10},
			want:    []want{{"protocol IcmpInErrors in 2", 10, 30, 0, 10, ""}},
			counted: 10, explained: 10,
		},
		"parts of packets, and a packet": {
			steps: []step{{protocol("UdpNoPorts", pod), 10}},
			drops: map[*event.Cell]uint64{
				died("NO_SOCKET", "__udp4_lib_rcv", eth0, pod, udp):     10,
				died("NO_SOCKET", "skb_release_data", eth0, pod, udp):   200,
				died("NOT_SPECIFIED", "skb_release_data", eth0, pod, 0): 7,
			},
			want:    []want{{"protocol UdpNoPorts in 2", 10, 0, 0, 10, ""}},
			counted: 10, explained: 10,
		},
		"fragments without memory": {
			steps:   []step{{protocol("IpReasmFails", pod), 38}},
			drops:   map[*event.Cell]uint64{died("NOT_SPECIFIED", "ip_defrag", eth0, pod, udp): 38},
			want:    []want{{"protocol IpReasmFails in 2", 38, 0, 0, 38, ""}},
			counted: 38, explained: 38,
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := keep(test.steps, veths, test.drops)
			var got []want
			for i := range l.Rows {
				r := &l.Rows[i]
				got = append(got, want{r.String(), r.Traced, r.Unseen, r.Unexplained, r.Packets, r.Mirrors})
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if l.Counted != test.counted || l.Explained != test.explained || l.Benign != test.benign || l.Uncounted+l.Unread != test.uncounted {
				t.Errorf("%d of %d explained, %d benign, %d uncounted, want %d of %d, %d and %d",
					l.Explained, l.Counted, l.Benign, l.Uncounted+l.Unread, test.explained, test.counted, test.benign, test.uncounted)
			}
		})
	}
}

// TestByName: recordings before schema 4 know a counter's device by name, and a cell has
// that from samples. One whose samples were lost shares the name of another.
func TestByName(t *testing.T) {
	named := died("UNHANDLED_PROTO", "__netif_receive_skb_core", event.Device{Index: 2, Name: "eth0"}, pod, 0)
	bare := died("CPU_BACKLOG", "enqueue_to_backlog", event.Device{Index: 2}, pod, udp)
	l := keep([]step{{counter(event.CounterLink, "rx_dropped", "eth0", pod, ""), 70}}, nil, map[*event.Cell]uint64{named: 30, bare: 40})
	if len(l.Rows) != 1 || l.Rows[0].Traced != 70 || l.Explained != 40 || l.Benign != 30 {
		t.Errorf("%+v", l)
	}
}

// TestEdges: what is dropped while counters are read is in one of the two readings or not,
// and says nothing against a row.
func TestEdges(t *testing.T) {
	c := counter(event.CounterSoftnet, "dropped", "", event.Netns{}, "cpu 0")
	cell := cell("CPU_BACKLOG", "eth0", host, udp)
	tick := func(at time.Duration, drops uint64) event.Event {
		return &event.Tick{Time: at, Counts: []event.Count{{Cell: cell, Drops: drops}}}
	}
	reading := func(at time.Duration, n uint64) event.Event {
		return &event.Counters{Time: at, Readings: []event.Reading{{Counter: c, Value: n}}}
	}
	for name, test := range map[string]struct {
		events                []event.Event
		delta, traced, counts uint64
		unexplained           int64
	}{
		"a burst before the first reading, which had it": {
			[]event.Event{tick(0, 0), reading(1, 100), tick(2, 100), tick(10, 7), reading(11, 107), tick(12, 0)}, 7, 7, 7, 0,
		},
		"a burst after the last reading": {
			[]event.Event{tick(0, 0), reading(1, 0), tick(2, 0), tick(10, 7), reading(11, 7), tick(12, 100)}, 7, 7, 7, 0,
		},
		"a burst that the last reading had in part": {
			[]event.Event{tick(0, 0), reading(1, 0), tick(2, 0), tick(10, 7), reading(11, 57), tick(12, 100)}, 57, 57, 57, 0,
		},
		"the same, the reading behind the last tick": {
			[]event.Event{tick(0, 0), reading(1, 0), tick(2, 0), tick(10, 7), tick(12, 100), reading(11, 57)}, 57, 57, 57, 0,
		},
		"what lies between is held against it": {
			[]event.Event{tick(0, 0), reading(1, 0), tick(2, 0), tick(10, 50), reading(11, 7), tick(12, 0)}, 7, 50, 7, -43,
		},
	} {
		b := NewBook()
		for _, e := range test.events {
			b.Add(e)
		}
		r := b.Ledger().Rows[0]
		if r.Delta != test.delta || r.Traced != test.traced || r.Packets != test.counts || r.Unexplained != test.unexplained {
			t.Errorf("%s: %+v, want %d traced, %d packets, %d unexplained", name, r, test.traced, test.counts, test.unexplained)
		}
	}
}

// TestRests: readings leave a cell alone that does not count, and its bounds are right when
// they are asked for.
func TestRests(t *testing.T) {
	b, c := NewBook(), cell("CPU_BACKLOG", "eth0", host, udp)
	b.Add(&event.Tick{Counts: []event.Count{{Cell: c, Drops: 5}}})
	for i := range 3 {
		b.Add(&event.Counters{Time: time.Duration(i + 1)})
	}
	tally := b.cells[c]
	if tally.reads != 0 {
		t.Errorf("of a cell that rests the bounds are of reading %d", tally.reads)
	}
	if got := b.counted(tally); got != (bounds{}) || tally.first != (bounds{5, 5}) || tally.end != tally.first {
		t.Errorf("counted %v, from %v to %v", got, tally.first, tally.end)
	}
}

// TestGoneLast: of alike cells that are gone with the last tick, a reading before it may
// have counted what they did without that tick, or with it.
func TestGoneLast(t *testing.T) {
	b, one, other := NewBook(), cell("CPU_BACKLOG", "eth0", host, udp), cell("CPU_BACKLOG", "eth0", host, udp)
	other.ID = one.ID + 1
	tick := func(at time.Duration, drops uint64, gone ...*event.Cell) {
		b.Add(&event.Tick{Time: at, Counts: []event.Count{{Cell: one, Drops: drops}, {Cell: other, Drops: drops}}, Gone: gone})
	}
	b.Add(&event.Counters{})
	b.Add(&event.Tick{})
	tick(1, 3)
	b.Add(&event.Counters{Time: 2})
	tick(10, 100, one, other)
	b.Add(&event.Counters{Time: 9})
	if len(b.cells) != 1 {
		t.Fatalf("%d cells are kept", len(b.cells))
	}
	for _, tally := range b.cells {
		if got := b.counted(tally); got != (bounds{6, 206}) {
			t.Errorf("between %d and %d were counted, want 6 and 206", got.least, got.most)
		}
	}
}
