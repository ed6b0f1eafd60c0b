// SPDX-License-Identifier: Apache-2.0

package event

import (
	"hash/maphash"
	"iter"
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
	counters map[uint64]*metered // by a hash of their ID: a hundred thousand IDs as keys take as much again
	seed     maphash.Seed
	gone     []*metered // that moved, the earliest first; some have come back
	appeared int        // how many counters did so far
	reads    int
}

type metered struct {
	Movement
	number int      // in the order in which they appeared
	next   *metered // with the same hash
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
		m.counters, m.seed = map[uint64]*metered{}, maphash.MakeSeed()
	}
	m.leave(e.Gone)
	bases := map[CounterID]uint64{}
	for _, r := range e.Bases {
		bases[r.ID()] = r.Value
	}
	for i := range e.Readings {
		r := &e.Readings[i]
		id := r.ID()
		c := m.find(id)
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
	hash := maphash.Comparable(m.seed, id)
	c := &metered{number: m.appeared, next: m.counters[hash]}
	m.counters[hash] = c
	m.appeared++
	return c
}

// find returns the counter of an ID, or nil if it was not read.
func (m *Meter) find(id CounterID) *metered {
	c := m.counters[maphash.Comparable(m.seed, id)]
	for c != nil && c.ID() != id {
		c = c.next
	}
	return c
}

// forget removes a counter.
func (m *Meter) forget(c *metered) {
	hash := maphash.Comparable(m.seed, c.ID())
	first := m.counters[hash]
	switch {
	case first != c:
		for first.next != c {
			first = first.next
		}
		first.next = c.next
	case c.next != nil:
		m.counters[hash] = c.next
	default:
		delete(m.counters, hash)
	}
}

// leave takes note of counters that are gone.
func (m *Meter) leave(gone []Counter) {
	for _, counter := range gone {
		c := m.find(counter.ID())
		switch {
		case c == nil || c.Gone:
		case c.Moved == 0:
			m.forget(c)
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
	if m.find(c.ID()) != c || !c.Gone {
		return
	}
	sum := Counter{Source: c.Source, Name: c.Name, Netns: Netns{Name: GoneDevices}}
	if c.Device != "" {
		sum.Device = GoneDevices
	}
	m.forget(c)
	to := m.find(sum.ID())
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
	all := make([]Movement, 0, len(m.counters))
	for c := range m.Each() {
		all = append(all, *c)
	}
	return all
}

// Each ranges over what Movements returns, and copies nothing: they change with the next Add.
func (m *Meter) Each() iter.Seq[*Movement] {
	return func(yield func(*Movement) bool) {
		sorted := make([]*metered, 0, len(m.counters))
		for _, c := range m.counters {
			for ; c != nil; c = c.next {
				sorted = append(sorted, c)
			}
		}
		slices.SortFunc(sorted, func(a, b *metered) int { return a.number - b.number })
		for _, c := range sorted {
			if !yield(&c.Movement) {
				return
			}
		}
	}
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
