// SPDX-License-Identifier: Apache-2.0

package event

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
type Meter struct {
	counters map[CounterID]*Movement
	order    []*Movement
	reads    int
}

// Add takes the next Counters.
func (m *Meter) Add(e *Counters) {
	m.reads++
	if m.counters == nil {
		m.counters = map[CounterID]*Movement{}
	}
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
			c = &Movement{}
			m.counters[id] = c
			m.order = append(m.order, c)
			if m.reads == 1 {
				base = r.Value
			}
			c.Moved = moved(r.Source, base, r.Value)
		case based:
			c.Moved += moved(r.Source, base, r.Value)
		default:
			c.Moved += moved(r.Source, c.Value, r.Value)
		}
		c.Cut = c.Cut || c.Gone || based && base != 0
		c.Counter, c.Value, c.Gone = r.Counter, r.Value, false
	}
	for _, counter := range e.Gone {
		if c := m.counters[counter.ID()]; c != nil {
			c.Gone, c.Cut = true, true
		}
	}
}

// Reads returns how many Counters were added.
func (m *Meter) Reads() int { return m.reads }

// Movements returns all counters that were read, those that are gone included, in the
// order in which they appeared.
func (m *Meter) Movements() []Movement {
	all := make([]Movement, len(m.order))
	for i, c := range m.order {
		all[i] = *c
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
