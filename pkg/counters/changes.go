// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Changes yields the differences between successive readings of a node's counters. Its memory
// is bounded by the namespaces and devices that exist.
type Changes struct {
	reader *Reader
	left   []departure
	links  map[event.Link]bool // of the last reading
	spare  map[event.Link]bool // empty, for the next reading
	events [2]event.Counters   // of the last two readings
}

// NewChanges returns a Changes. It returns the errors of NewReader.
func NewChanges() (*Changes, error) {
	reader, err := NewReader()
	if err != nil {
		return nil, err
	}
	return &Changes{reader: reader, links: map[event.Link]bool{}, spare: map[event.Link]bool{}}, nil
}

// Notes says which counters could not be read, and why.
func (c *Changes) Notes() []string { return c.reader.Notes() }

// Read returns the counters that are new or have changed since the previous reading, with the
// time since start. It reports a counter that appears after the first reading with the value 0
// only once it is greater than 0, except for the first counter of each namespace, which shows
// that the namespace is read. The event is valid until the second next call.
func (c *Changes) Read(start time.Time) (*event.Counters, error) {
	e := &c.events[c.reader.turns%2]
	*e = event.Counters{Time: time.Since(start), Gone: e.Gone[:0], Readings: e.Readings[:0], Bases: e.Bases[:0], Links: e.Links[:0]}
	if err := c.reader.read(); err != nil {
		return nil, err
	}
	c.settle()
	for _, s := range c.reader.ended {
		for _, r := range s.now {
			if s.known(r) {
				e.Gone = append(e.Gone, r.Counter)
			}
		}
	}
	c.compare(e, &c.reader.machine, func(r event.Reading) uint64 { return r.Value }, func(event.Counter) bool { return true })
	for _, s := range c.reader.spaces {
		c.compare(e, &s.series, s.sinceOf, s.keeps)
		s.tell()
	}
	c.compareLinks(e)
	return e, nil
}

// compare adds the differences of a series to the event. since returns the start value of a
// counter that appeared.
func (c *Changes) compare(e *event.Counters, s *series, since func(event.Reading) uint64, keep func(event.Counter) bool) {
	s.compare(differences{
		changed: func(r event.Reading) { e.Readings = append(e.Readings, r) },
		appeared: func(r event.Reading) {
			if c.reader.turns == 1 {
				e.Readings = append(e.Readings, r)
				return
			}
			if r.Value == 0 && r != s.now[0] {
				return // nine in ten counters of a short-lived namespace stay 0
			}
			e.Readings = append(e.Readings, r)
			e.Bases = append(e.Bases, event.Reading{Counter: r.Counter, Value: since(r)})
		},
		gone: func(r event.Reading) {
			if s.known(r) {
				e.Gone = append(e.Gone, r.Counter)
			}
		},
		keep: keep,
	})
}

// sinceOf returns the start value of a counter that appeared in the namespace.
func (c *space) sinceOf(r event.Reading) uint64 {
	d := c.devices.byIndex[int32(r.Index)]
	switch {
	case d != nil && !d.told:
		return d.origin.since(r)
	case c.told:
		return c.series.since(r)
	case c.isNew:
		return 0
	}
	return r.Value
}

// tell records that the readings of the namespace were reported.
func (c *space) tell() {
	if c.isNew {
		c.isNew, c.later = false, true
		if len(c.now) > 0 {
			c.first = c.now[0].Counter
		}
	}
	for _, d := range c.devices.listed {
		d.told, d.origin = true, origin{}
	}
}

// keeps reports whether a counter that was not read still exists: its source could not be read,
// and its device, if it has one, still exists.
func (c *space) keeps(counter event.Counter) bool {
	listed := !slices.Contains(c.missed, event.CounterLink)
	if listed && counter.Index != 0 && c.devices.byIndex[int32(counter.Index)] == nil {
		return false
	}
	return slices.Contains(c.missed, counter.Source)
}

// compareLinks adds the interfaces that are new or have changed to the event.
func (c *Changes) compareLinks(e *event.Counters) {
	before := c.links
	c.links, c.spare = c.spare, before
	for _, link := range c.reader.Links() {
		if c.links[link] = true; !before[link] {
			e.Links = append(e.Links, link)
		}
	}
	clear(before)
}
