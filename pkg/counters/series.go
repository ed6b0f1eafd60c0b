// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// series is the last two readings of a namespace or of the machine.
type series struct {
	now, before []event.Reading
	missed      []event.CounterSource // sources that could not be read completely now
	gaps        []event.CounterSource // sources that could not be read completely before
	another     bool                  // before is of another namespace
	told        bool                  // it was read before, perhaps in part
	first       event.Counter         // first counter that was reported
	later       bool                  // it appeared after the first reading: zeros were not reported
}

// begin starts a new reading.
func (s *series) begin() {
	s.now, s.before = s.before[:0], s.now
	s.missed, s.gaps = s.gaps[:0], s.missed
	s.another = false
}

// reborn records that the previous reading is of another namespace.
func (s *series) reborn() { s.another, s.told = true, false }

// differences receives the differences between two readings.
type differences struct {
	changed  func(event.Reading)
	appeared func(event.Reading)
	gone     func(event.Reading)
	keep     func(event.Counter) bool // the counter exists, but could not be read
}

// compare calls the functions of d with the counters that appeared, changed or are gone since
// the previous reading. A counter that could not be read keeps its value.
func (s *series) compare(d differences) {
	before := s.before
	if s.another {
		for _, r := range before {
			d.gone(r)
		}
		before = nil
	}
	same := 0 // usually all: the order is stable
	for same < min(len(s.now), len(before)) && s.now[same].Counter == before[same].Counter {
		if r := s.now[same]; r.Value != before[same].Value {
			d.changed(r)
		}
		same++
	}
	s.compareRest(before[same:], s.now[same:], d)
	s.told = true
}

func (s *series) compareRest(before, now []event.Reading, d differences) {
	if len(before) == 0 {
		for _, r := range now {
			d.appeared(r)
		}
		return
	}
	was := make(map[event.CounterID]event.Reading, len(before))
	for _, r := range before {
		was[r.ID()] = r
	}
	for _, r := range now {
		id := r.ID()
		switch old, ok := was[id]; {
		case !ok:
			d.appeared(r)
		case old != r: // the value, or the name of the device or namespace
			d.changed(r)
		}
		delete(was, id)
	}
	for _, r := range before {
		if _, left := was[r.ID()]; !left {
			continue
		}
		if d.keep(r.Counter) {
			s.now = append(s.now, r)
		} else {
			d.gone(r)
		}
	}
}

// known reports whether a reading that is gone was reported before.
func (s *series) known(r event.Reading) bool {
	return !s.later || r.Value > 0 || r.Counter.ID() == s.first.ID()
}

// since returns the start value of a counter that appeared in a series that was read before: 0,
// unless its source could not be read then.
func (s *series) since(r event.Reading) uint64 {
	if slices.Contains(s.gaps, r.Source) {
		return r.Value
	}
	return 0
}
