// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// series is what was read of a namespace, or of the machine, now and the time before.
type series struct {
	now, before []event.Reading
	missed      []event.CounterSource // that could not be read now, or not all of it
	gaps        []event.CounterSource // the same, of the time before
	another     bool                  // what was read before was of another namespace
	told        bool                  // it was read before, perhaps in part
	first       event.Counter         // that was told
	later       bool                  // it appeared after others were read: what is 0 was not told
}

// begin makes room for a new reading.
func (s *series) begin() {
	s.now, s.before = s.before[:0], s.now
	s.missed, s.gaps = s.gaps[:0], s.missed
	s.another = false
}

// reborn says that what was read before was of another namespace.
func (s *series) reborn() { s.another, s.told = true, false }

// differences are what changed in a series.
type differences struct {
	changed  func(event.Reading)
	appeared func(event.Reading)
	gone     func(event.Reading)
	keep     func(event.Counter) bool // it is not gone, but could not be read
}

// compare hands on what is new or has changed since the time before, and what is gone. A
// counter that could not be read keeps its value.
func (s *series) compare(d differences) {
	before := s.before
	if s.another {
		for _, r := range before {
			d.gone(r)
		}
		before = nil
	}
	same := 0 // as a rule all: the order stays
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
		case old != r: // also where the name of a device or namespace is new
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

// known says whether a reading that is gone was told.
func (s *series) known(r event.Reading) bool {
	return !s.later || r.Value > 0 || r.Counter.ID() == s.first.ID()
}

// since says where a counter starts from that appeared in a series that was read before:
// from 0, unless its source could not be read then.
func (s *series) since(r event.Reading) uint64 {
	if slices.Contains(s.gaps, r.Source) {
		return r.Value
	}
	return 0
}
