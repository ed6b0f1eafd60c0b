// SPDX-License-Identifier: Apache-2.0

package event

import (
	"maps"
	"slices"
)

// Movement is how far one of the node's counters moved while it was read.
type Movement struct {
	Counter        // with the names it had last
	Value   uint64 // when it was read last
	Moved   uint64 // from the first Counters to the last
	// Cut says that it was not read from the first Counters to the last, nor since it
	// began: it went away with its device or namespace, came from elsewhere, or was found
	// late. What it counted then is not in Moved.
	Cut  bool
	Gone bool // it could not be read any more
}

// Meter adds up how far counters move, from each Counters to the next. It is the one
// place that knows what a counter did that went back, appeared, or disappeared. The zero
// value is ready for use.
//
// Of a counter that is gone it keeps how far it moved, and of one that did not, nothing:
// what it holds belongs to what there is, and to losses. Of those that moved it keeps so
// many apart; what the earliest moved by is added up by source and name.
type Meter struct {
	counters map[CounterID]*metered
	gone     []*metered // that moved, the earliest first; some have come back
	appeared int        // how many counters did so far
	reads    int
}

type metered struct {
	Movement
	number int // in the order in which they appeared
}

// maxGone is how many counters are kept apart that moved and are gone. A day of 20,000
// pods leaves some tens of thousands.
const maxGone = 1 << 10

// GoneDevices stands in for the device, or the namespace, of counters that are added up.
const GoneDevices = "[gone]"

// Add takes the next Counters.
func (m *Meter) Add(e *Counters) {
	m.reads++
	if m.counters == nil {
		m.counters = map[CounterID]*metered{}
	}
	m.leave(e.Gone)
	bases := map[CounterID]uint64{}
	for _, r := range e.Bases {
		bases[r.ID()] = r.Value
	}
	for _, r := range e.Readings {
		id := r.ID()
		c := m.counters[id]
		base, based := bases[id]
		switch {
		case c == nil:
			c = m.appear(id)
			if m.reads == 1 {
				base = r.Value
			}
			c.Moved = moved(r.Source, base, r.Value)
		case based || c.Gone:
			c.Moved += moved(r.Source, base, r.Value)
		default:
			c.Moved += moved(r.Source, c.Value, r.Value)
		}
		c.Cut = c.Cut || based && base != 0
		c.Counter, c.Value, c.Gone = r.Counter, r.Value, false
	}
}

func (m *Meter) appear(id CounterID) *metered {
	c := &metered{number: m.appeared}
	m.counters[id] = c
	m.appeared++
	return c
}

// leave takes note of counters that are gone.
func (m *Meter) leave(gone []Counter) {
	for _, counter := range gone {
		id := counter.ID()
		c := m.counters[id]
		switch {
		case c == nil || c.Gone:
		case c.Moved == 0:
			delete(m.counters, id)
		default:
			c.Gone, c.Cut = true, true
			m.gone = append(m.gone, c)
		}
	}
	for len(m.gone) > maxGone {
		m.fold(m.gone[0])
		m.gone[0] = nil
		m.gone = m.gone[1:]
	}
}

// fold adds a counter that is still gone to the sum of its kind.
func (m *Meter) fold(c *metered) {
	id := c.ID()
	if m.counters[id] != c || !c.Gone {
		return
	}
	sum := Counter{Source: c.Source, Name: c.Name, Netns: Netns{Name: GoneDevices}}
	if c.Device != "" {
		sum.Device = GoneDevices
	}
	delete(m.counters, id)
	to := m.counters[sum.ID()]
	if to == nil {
		to = m.appear(sum.ID())
		to.Counter, to.Gone, to.Cut = sum, true, true
	}
	to.Moved += c.Moved
	to.Value += c.Value
}

// Reads returns how many Counters were added.
func (m *Meter) Reads() int { return m.reads }

// Movements returns the counters that were read, those included that moved and are gone,
// in the order in which they appeared.
func (m *Meter) Movements() []Movement {
	sorted := slices.SortedFunc(maps.Values(m.counters), func(a, b *metered) int { return a.number - b.number })
	all := make([]Movement, len(sorted))
	for i, c := range sorted {
		all[i] = c.Movement
	}
	return all
}

// moved returns how far a counter went. One that went back began anew, or, if it has but
// 32 bits in the kernel, went past its end.
func moved(source CounterSource, from, to uint64) uint64 {
	if to >= from {
		return to - from
	}
	switch source {
	// struct softnet_data and gnet_stats_queue have 32 bits; so has struct
	// ip_conntrack_stat, of which a reading is the sum over CPUs.
	case CounterSoftnet, CounterQdisc, CounterConntrack:
		if wrapped := to + 1<<32 - from; wrapped < 1<<31 {
			return wrapped
		}
	}
	return to
}
