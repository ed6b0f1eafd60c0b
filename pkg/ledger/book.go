// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// Book keeps counters beside drops, between the first event.Counters and the last.
type Book struct {
	meter    event.Meter
	links    map[event.DeviceID]event.Link
	cells    map[*event.Cell]*tally
	alike    map[sort]*event.Cell // those of cells that are gone, by what they have in common
	gone     []*event.Cell        // of them, the ones that have a device or namespace, the earliest first
	ticks    int
	appeared int           // cells
	tick     time.Duration // when the last one was read
	edge     bool          // counters were read, and no tick has come since
	traced   bool

	foldNext  int                     // gone cells
	goneLinks map[event.DeviceID]bool // whose counters are gone
	linkOrder []event.DeviceID        // the earliest first; some have come back
}

// tally is how many drops a cell counted. Cells and counters are never read at the same
// moment: what had been dropped when counters were read is between the counts of the ticks
// before and after.
type tally struct {
	all, last uint64 // with the last tick that changed it, and before that
	tick      int    // its number
	number    int    // of the cell, in the order in which they appeared
	first     bounds // when counters were read first
	end       bounds // and last
	part      bool   // what it counts is parts of packets, which are in no row: all stays 0
}

type bounds struct{ least, most uint64 }

// NewBook returns an empty Book.
func NewBook() *Book {
	return &Book{
		links: map[event.DeviceID]event.Link{}, goneLinks: map[event.DeviceID]bool{},
		cells: map[*event.Cell]*tally{}, alike: map[sort]*event.Cell{},
	}
}

// Add adds an event.
func (b *Book) Add(e event.Event) {
	switch e := e.(type) {
	case *event.Tick:
		b.count(e)
	case *event.Counters:
		b.read(e)
	}
}

func (b *Book) count(e *event.Tick) {
	b.traced = true
	b.tick = e.Time
	b.ticks++
	for _, c := range e.Counts {
		t := b.cells[c.Cell]
		if t == nil {
			t = &tally{part: dropreason.Of(c.Cell).Class == dropreason.ClassPart, number: b.appeared}
			b.appeared++
			b.cells[c.Cell] = t
		}
		if t.part {
			continue
		}
		if t.tick != b.ticks {
			t.tick, t.last = b.ticks, t.all
		}
		t.all += c.Drops
	}
	if b.edge {
		b.edge = false
		for _, t := range b.cells {
			if t.end.most = t.all; b.meter.Reads() == 1 {
				t.first.most = t.all
			}
		}
	}
	b.leave(e.Gone)
}

// read takes counters. A source that has ended yields the last of them behind the last
// tick, though they were read before it.
func (b *Book) read(e *event.Counters) {
	b.meter.Add(e)
	b.leaveLinks(e.Gone)
	for _, l := range e.Links {
		b.links[l.ID()] = l
		delete(b.goneLinks, l.ID())
	}
	late := e.Time < b.tick
	b.edge = !late
	for _, t := range b.cells {
		t.end = bounds{t.all, t.all}
		if late && t.tick == b.ticks {
			t.end.least = t.last
		}
		if b.meter.Reads() == 1 {
			t.first = t.end
		}
	}
}

// Movements returns how far each of the node's counters moved so far.
func (b *Book) Movements() []event.Movement { return b.meter.Movements() }

// counted bounds the drops of a cell that counters have counted.
func (t *tally) counted() bounds {
	return bounds{t.end.least - min(t.end.least, t.first.most), t.end.most - min(t.end.most, t.first.least)}
}
