// SPDX-License-Identifier: Apache-2.0

package event

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMeter follows counters that wrap, begin anew, come, go, and change their names.
func TestMeter(t *testing.T) {
	netns := Netns{Inode: 7}
	of := func(source CounterSource) Counter {
		return Counter{Source: source, Name: "dropped", Netns: netns, Device: "eth0", Index: 2}
	}
	link := of(CounterLink)
	named := link
	named.Device, named.Netns.Name = "eth1", "blue"
	reading := func(c Counter, n uint64) *Counters { return &Counters{Readings: []Reading{{c, n}}} }
	based := func(c Counter, base, n uint64) *Counters {
		return &Counters{Readings: []Reading{{c, n}}, Bases: []Reading{{c, base}}}
	}
	gone := &Counters{Gone: []Counter{link}}
	for name, test := range map[string]struct {
		events []*Counters
		want   Movement
	}{
		"once":                 {[]*Counters{reading(link, 5)}, Movement{link, 5, 0, false, false}},
		"twice":                {[]*Counters{reading(link, 5), reading(link, 9)}, Movement{link, 9, 4, false, false}},
		"no change":            {[]*Counters{reading(link, 5), reading(link, 9), {}}, Movement{link, 9, 4, false, false}},
		"begins anew":          {[]*Counters{reading(link, 1<<32-5), reading(link, 3)}, Movement{link, 3, 3, false, false}},
		"softnet wraps":        {[]*Counters{reading(of(CounterSoftnet), 1<<32-100), reading(of(CounterSoftnet), 5000)}, Movement{of(CounterSoftnet), 5000, 5100, false, false}},
		"qdisc wraps":          {[]*Counters{reading(of(CounterQdisc), 1<<32-5), reading(of(CounterQdisc), 3)}, Movement{of(CounterQdisc), 3, 8, false, false}},
		"qdisc made anew":      {[]*Counters{reading(of(CounterQdisc), 100), reading(of(CounterQdisc), 3)}, Movement{of(CounterQdisc), 3, 3, false, false}},
		"one CPU's wraps":      {[]*Counters{reading(of(CounterConntrack), 1<<32+7), reading(of(CounterConntrack), 9)}, Movement{of(CounterConntrack), 9, 2, false, false}},
		"born":                 {[]*Counters{{}, reading(link, 3), reading(link, 4)}, Movement{link, 4, 4, false, false}},
		"came from elsewhere":  {[]*Counters{{}, based(link, 100, 103), reading(link, 104)}, Movement{link, 104, 4, true, false}},
		"gone":                 {[]*Counters{reading(link, 5), reading(link, 9), gone}, Movement{link, 9, 4, true, true}},
		"another by its index": {[]*Counters{reading(link, 5), gone, based(link, 0, 9)}, Movement{link, 9, 9, false, false}},
		"another that moved":   {[]*Counters{reading(link, 5), reading(link, 7), gone, reading(link, 9)}, Movement{link, 9, 11, true, false}},
		"another at once": {[]*Counters{reading(link, 5), {Gone: []Counter{link}, Readings: []Reading{{link, 9}}, Bases: []Reading{{link, 8}}}},
			Movement{link, 9, 1, true, false}},
		"renamed": {[]*Counters{reading(link, 5), reading(named, 9)}, Movement{named, 9, 4, false, false}},
	} {
		var m Meter
		for _, e := range test.events {
			m.Add(e)
		}
		if diff := cmp.Diff([]Movement{test.want}, m.Movements()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestMeterByName: recordings before schema 4 know devices by name.
func TestMeterByName(t *testing.T) {
	a, b := Counter{Name: "rx_dropped", Device: "a"}, Counter{Name: "rx_dropped", Device: "b"}
	var m Meter
	m.Add(&Counters{Readings: []Reading{{a, 1}, {b, 10}}})
	m.Add(&Counters{Readings: []Reading{{b, 30}, {a, 4}}})
	want := []Movement{{a, 4, 3, false, false}, {b, 30, 20, false, false}}
	if diff := cmp.Diff(want, m.Movements()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMeterForgets: what is gone takes no room for ever, and what it moved by stays in the
// sum.
func TestMeterForgets(t *testing.T) {
	const devices = 3 * maxGone
	var m Meter
	m.Add(&Counters{})
	for i := range devices {
		at := Counter{Source: CounterLink, Name: "rx_dropped", Netns: Netns{Inode: 7}, Device: "veth", Index: i + 1}
		idle := at
		idle.Name = "tx_dropped"
		m.Add(&Counters{Readings: []Reading{{at, 2}, {idle, 0}}})
		m.Add(&Counters{Gone: []Counter{at, idle}})
	}
	var sum uint64
	for _, c := range m.Movements() {
		if sum += c.Moved; c.Name != "rx_dropped" || !c.Gone || !c.Cut {
			t.Errorf("%+v", c)
		}
	}
	if n := len(m.Movements()); n != maxGone+1 || sum != 2*devices {
		t.Errorf("%d counters moved by %d, want %d and %d", n, sum, maxGone+1, 2*devices)
	}
}
