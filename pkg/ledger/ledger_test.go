// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

var (
	host = event.Netns{Inode: 1, Name: "host"}
	pod  = event.Netns{Inode: 2}
)

func cell(reason, device string, netns event.Netns, protocol uint8) *event.Cell {
	return &event.Cell{
		Reason: event.Reason{Name: reason}, Location: &event.Frame{Addr: 1}, Device: event.Device{Name: device},
		Netns: netns, Ethertype: event.EthertypeIPv4, Protocol: protocol,
	}
}

func counter(source event.CounterSource, name, device string, netns event.Netns, part string) event.Counter {
	return event.Counter{Source: source, Name: name, Netns: netns, Device: device, Part: part}
}

// step is how far a counter moves.
type step struct {
	event.Counter
	by uint64
}

// keep has counters move while drops are counted, with others before and after.
func keep(steps []step, links []event.Link, drops map[*event.Cell]uint64) *Ledger {
	b := NewBook()
	tick := func(times uint64) {
		t := &event.Tick{}
		for c, n := range drops {
			t.Counts = append(t.Counts, event.Count{Cell: c, Drops: n * times})
		}
		b.Add(t)
	}
	read := func(times uint64) {
		e := &event.Counters{Links: links}
		for _, s := range steps {
			e.Readings = append(e.Readings, event.Reading{Counter: s.Counter, Value: 1000 + s.by*times})
		}
		b.Add(e)
		b.Add(&event.Tick{})
	}
	tick(7)
	read(0)
	tick(1)
	read(1)
	tick(9)
	return b.Ledger()
}

func TestRows(t *testing.T) {
	backlog := cell("CPU_BACKLOG", "veth0", pod, udp)
	veths := []event.Link{{Name: "peer0", Netns: host, Kind: "veth", Peer: "veth0", PeerNetns: pod}}
	link := func(name, device string, netns event.Netns) event.Counter {
		return counter(event.CounterLink, name, device, netns, "")
	}
	protocol := func(name string) event.Counter { return counter(event.CounterProtocol, name, "", pod, "") }
	type want struct {
		Name                  string
		Delta, Traced, Unseen uint64
		Unexplained           int64
		Off                   bool
	}
	for name, test := range map[string]struct {
		steps     []step
		drops     map[*event.Cell]uint64
		want      []want
		uncounted uint64
		unread    uint64
	}{
		"ring overflow": {
			steps: []step{{link("rx_missed_errors", "eth0", host), 5321081}},
			want:  []want{{"rx_missed_errors", 5321081, 0, 5321081, 0, false}},
		},
		"backlog over a veth": {
			steps: []step{
				{link("rx_dropped", "veth0", pod), 50}, {link("tx_dropped", "peer0", host), 50},
				{counter(event.CounterSoftnet, "dropped", "", event.Netns{}, "cpu 0"), 20},
				{counter(event.CounterSoftnet, "dropped", "", event.Netns{}, "cpu 1"), 30},
			},
			drops: map[*event.Cell]uint64{backlog: 50},
			want: []want{
				{"rx_dropped", 50, 50, 0, 0, false}, {"tx_dropped", 50, 50, 0, 0, false}, {"dropped", 50, 50, 0, 0, false},
			},
		},
		"another device's drops explain nothing": {
			steps: []step{{link("rx_dropped", "eth0", host), 50}, {link("tx_dropped", "eth0", host), 50}},
			drops: map[*event.Cell]uint64{backlog: 50},
			want: []want{
				{"rx_dropped", 50, 0, 0, 50, true}, {"tx_dropped", 50, 0, 0, 50, true},
			},
			unread: 50,
		},
		"a counter that should have moved": {
			steps: []step{{counter(event.CounterSoftnet, "dropped", "", event.Netns{}, "cpu 0"), 0}},
			drops: map[*event.Cell]uint64{backlog: 50},
			want:  []want{{"dropped", 0, 50, 0, -50, true}},
		},
		"a full socket": {
			steps: []step{{protocol("UdpInErrors"), 100}, {protocol("UdpRcvbufErrors"), 100}, {protocol("Udp6RcvbufErrors"), 0}},
			drops: map[*event.Cell]uint64{cell("SOCKET_RCVBUFF", "veth0", pod, udp): 100},
			want:  []want{{"UdpInErrors", 100, 100, 0, 0, false}, {"UdpRcvbufErrors", 100, 100, 0, 0, false}},
		},
		"another namespace's socket": {
			steps:  []step{{protocol("UdpNoPorts"), 10}},
			drops:  map[*event.Cell]uint64{cell("NO_SOCKET", "veth0", host, udp): 10},
			want:   []want{{"UdpNoPorts", 10, 0, 0, 10, true}},
			unread: 10,
		},
		"five percent": {
			steps: []step{{protocol("UdpNoPorts"), 100}},
			drops: map[*event.Cell]uint64{cell("NO_SOCKET", "veth0", pod, udp): 95},
			want:  []want{{"UdpNoPorts", 100, 95, 0, 5, false}},
		},
		"more traced than counted": {
			steps: []step{{protocol("UdpNoPorts"), 90}},
			drops: map[*event.Cell]uint64{cell("NO_SOCKET", "veth0", pod, udp): 100},
			want:  []want{{"UdpNoPorts", 90, 100, 0, -10, true}},
		},
		"SYNs that are consumed": {
			steps: []step{{protocol("TcpExtListenDrops"), 30}, {protocol("TcpExtListenOverflows"), 30}},
			drops: map[*event.Cell]uint64{cell("TCP_LISTEN_OVERFLOW", "veth0", pod, tcp): 10},
			want:  []want{{"TcpExtListenDrops", 30, 10, 20, 0, false}, {"TcpExtListenOverflows", 30, 10, 20, 0, false}},
		},
		"a driver's own drops": {
			steps: []step{
				{link("rx_dropped", "eth0", host), 40}, {counter(event.CounterDriver, "rx_queue_0_drops", "eth0", host, ""), 40},
				{counter(event.CounterDriver, "rx_xdp_drop", "eth0", host, ""), 5},
			},
			want: []want{{"rx_dropped", 40, 0, 40, 0, false}, {"rx_xdp_drop", 5, 0, 5, 0, false}},
		},
		"a ring that vmxnet3 alone counts for": {
			steps: []step{
				{link("rx_dropped", "eth0", host), 3}, {counter(event.CounterDriver, "pkts rx OOB", "eth0", host, ""), 40},
			},
			want: []want{{"rx_dropped", 3, 0, 0, 3, true}, {"pkts rx OOB", 40, 0, 40, 0, false}},
		},
		"nobody to handle them": {
			steps: []step{{link("rx_nohandler", "eth0", host), 8}, {link("rx_dropped", "eth0", host), 8}},
			drops: map[*event.Cell]uint64{cell("UNHANDLED_PROTO", "eth0", host, 0): 8},
			want:  []want{{"rx_nohandler", 8, 8, 0, 0, false}, {"rx_dropped", 8, 0, 0, 8, true}},
		},
		"a qdisc a queue, and tc's hooks": {
			steps: []step{
				{counter(event.CounterQdisc, "dropped", "eth0", host, "fq_codel 0: parent :1"), 2},
				{counter(event.CounterQdisc, "dropped", "eth0", host, "fq_codel 0: parent :2"), 4},
				{counter(event.CounterQdisc, "dropped", "eth0", host, "clsact ffff:"), 3},
			},
			drops: map[*event.Cell]uint64{cell("QDISC_DROP", "eth0", host, udp): 6, cell("TC_EGRESS", "eth0", host, udp): 3},
			want:  []want{{"dropped", 6, 6, 0, 0, false}, {"dropped", 3, 3, 0, 0, false}},
		},
		"a reason without a counter": {
			steps:     []step{{protocol("UdpNoPorts"), 0}},
			drops:     map[*event.Cell]uint64{cell("XDP", "veth0", pod, udp): 4},
			uncounted: 4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := keep(test.steps, veths, test.drops)
			var got []want
			for i := range l.Rows {
				r := &l.Rows[i]
				got = append(got, want{r.Name, r.Delta, r.Traced, r.Unseen, r.Unexplained, r.Off()})
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if l.Uncounted != test.uncounted || l.Unread != test.unread {
				t.Errorf("%d uncounted, %d unread, want %d and %d", l.Uncounted, l.Unread, test.uncounted, test.unread)
			}
		})
	}
}

func TestTotals(t *testing.T) {
	l := keep([]step{
		{counter(event.CounterLink, "rx_missed_errors", "eth0", host, ""), 100},
		{counter(event.CounterProtocol, "UdpInErrors", "", pod, ""), 10},
		{counter(event.CounterProtocol, "UdpRcvbufErrors", "", pod, ""), 10},
		{counter(event.CounterProtocol, "IpInDiscards", "", pod, ""), 7},
	}, nil, map[*event.Cell]uint64{cell("SOCKET_RCVBUFF", "veth0", pod, udp): 10})
	if l.Counted != 117 || l.Explained != 110 {
		t.Errorf("%d of %d explained, want 110 of 117", l.Explained, l.Counted)
	}
}

// TestCounterLives follows counters that come, begin anew and go.
func TestCounterLives(t *testing.T) {
	c := counter(event.CounterProtocol, "UdpNoPorts", "", pod, "")
	drops := &event.Tick{Counts: []event.Count{{Cell: cell("NO_SOCKET", "", pod, udp), Drops: 30}}}
	reading := func(n uint64) *event.Counters {
		return &event.Counters{Readings: []event.Reading{{Counter: c, Value: n}}}
	}
	for name, test := range map[string]struct {
		events []event.Event
		delta  uint64
		off    bool
	}{
		"read twice":       {[]event.Event{reading(100), drops, reading(130)}, 30, false},
		"a new namespace":  {[]event.Event{&event.Counters{}, drops, reading(30)}, 30, false},
		"begins anew":      {[]event.Event{reading(100), drops, reading(110), reading(20)}, 30, false},
		"gone too early":   {[]event.Event{reading(100), drops, reading(110), &event.Counters{Gone: []event.Counter{c}}}, 10, false},
		"another comes":    {[]event.Event{reading(100), &event.Counters{Gone: []event.Counter{c}}, drops, reading(30)}, 30, false},
		"says it is still": {[]event.Event{reading(100), drops, reading(130), &event.Counters{}}, 30, false},
	} {
		b := NewBook()
		for _, e := range test.events {
			b.Add(e)
		}
		l := b.Ledger()
		if len(l.Rows) != 1 || l.Rows[0].Delta != test.delta || l.Rows[0].Off() != test.off {
			t.Errorf("%s: %+v, want a delta of %d", name, l.Rows, test.delta)
		}
	}
	once := NewBook()
	once.Add(reading(1))
	if once.Ledger() != nil {
		t.Error("a ledger of one reading")
	}
}

func TestLost(t *testing.T) {
	l := keep([]step{
		{counter(event.CounterLink, "rx_missed_errors", "eth0", host, ""), 100},
		{counter(event.CounterLink, "rx_errors", "eth0", host, ""), 5},
		{counter(event.CounterLink, "rx_crc_errors", "eth0", host, ""), 5},
		{counter(event.CounterProtocol, "TcpExtListenDrops", "", pod, ""), 3},
		{counter(event.CounterProtocol, "IpOutNoRoutes", "", pod, ""), 9},
	}, nil, nil)
	got := map[string]uint64{}
	for _, lost := range l.Lost() {
		got[lost.Cell.Location.Name()+";"+lost.Cell.Reason.Name] = lost.Packets
	}
	want := map[string]uint64{"[nic] eth0;rx_missed_errors": 100, "[nic] eth0;rx_errors": 5, "[listener];TcpExtListenDrops": 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestUnknownParts: counters of a place that files tell apart, though nothing reads them so,
// are one row. With a row for each of them, every drop there would be held against all.
func TestUnknownParts(t *testing.T) {
	drops := map[*event.Cell]uint64{cell("SOCKET_RCVBUFF", "eth0", pod, udp): 6, cell("CPU_BACKLOG", "eth0", pod, udp): 3}
	for name, test := range map[string]struct {
		counter event.Counter
		change  func(c *event.Counter, i int)
		traced  uint64
	}{
		"parts of a link":     {counter(event.CounterLink, "rx_dropped", "eth0", pod, ""), func(c *event.Counter, i int) { c.Part = string(rune('a' + i)) }, 3},
		"softnet of devices":  {counter(event.CounterSoftnet, "dropped", "", event.Netns{}, ""), func(c *event.Counter, i int) { c.Index = i + 1 }, 3},
		"protocol of devices": {counter(event.CounterProtocol, "UdpRcvbufErrors", "", pod, ""), func(c *event.Counter, i int) { c.Index = i + 1 }, 6},
		"neighbour tables": {
			counter(event.CounterNeighbour, "unresolved_discards", "", event.Netns{}, ""),
			func(c *event.Counter, i int) { c.Part = string(rune('a' + i)) }, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var steps []step
			for i := range 9 {
				c := test.counter
				test.change(&c, i)
				steps = append(steps, step{c, 1})
			}
			l := keep(steps, nil, drops)
			if len(l.Rows) != 1 || l.Rows[0].Delta != 9 || l.Rows[0].Traced != test.traced {
				t.Errorf("%+v, want a row of 9, of which %d are traced", l.Rows, test.traced)
			}
		})
	}
}
