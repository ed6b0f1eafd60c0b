// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Changes tells of a node's counters what changed from reading to reading. What it
// keeps belongs to namespaces and devices that are there.
type Changes struct {
	reader *Reader
	left   []departure
	links  map[event.Link]bool // of the last reading
	spare  map[event.Link]bool // empty
	events [2]event.Counters   // the last one and that before
}

// NewChanges fails as NewReader does.
func NewChanges() (*Changes, error) {
	reader, err := NewReader()
	if err != nil {
		return nil, err
	}
	return &Changes{reader: reader, links: map[event.Link]bool{}, spare: map[event.Link]bool{}}, nil
}

// Notes returns what could not be read, and why.
func (c *Changes) Notes() []string { return c.reader.Notes() }

// Read returns what is new or has changed since the reading before, with the time since
// start. Of what appears after the first reading, counters that are 0 are told when they
// no longer are, but for the first of each namespace, which says that it is read. It is valid until the call after the next.
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

// compare adds to the event what changed in a series. Where a counter that appears starts
// from is said by since.
func (c *Changes) compare(e *event.Counters, s *series, since func(event.Reading) uint64, keep func(event.Counter) bool) {
	s.compare(differences{
		changed: func(r event.Reading) { e.Readings = append(e.Readings, r) },
		appeared: func(r event.Reading) {
			if c.reader.turns == 1 {
				e.Readings = append(e.Readings, r)
				return
			}
			if r.Value == 0 && r != s.now[0] {
				return // until it is more: nine in ten of a short life's stay 0
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

// sinceOf returns where a counter starts from that appeared in the namespace.
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

// tell remembers that what was read has been told.
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

// keeps says whether a counter that was not read is there still: of a device that is, or
// of none, and its source could not be read.
func (c *space) keeps(counter event.Counter) bool {
	listed := !slices.Contains(c.missed, event.CounterLink)
	if listed && counter.Index != 0 && c.devices.byIndex[int32(counter.Index)] == nil {
		return false
	}
	return slices.Contains(c.missed, counter.Source)
}

// compareLinks adds the interfaces that are new or have changed.
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
