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
	first    reading
	latest   reading
	traced   bool

	foldNext  int                     // gone cells
	goneLinks map[event.DeviceID]bool // whose counters are gone
	linkOrder []event.DeviceID        // the earliest first; some have come back
}

// reading is when counters were read.
type reading struct {
	ticks int  // that had come
	late  bool // it was before the last of those, though told after it
}

// tally is how many drops a cell counted. Cells and counters are never read at the same
// moment: what had been dropped when counters were read is between the counts of the ticks
// before and after. The bounds are brought up to date when the cell counts again, and when
// they are asked for, so that a reading takes no time for cells that rest.
type tally struct {
	all, last uint64 // with the last tick that changed it, and before that
	tick      int    // its number
	number    int    // of the cell, in the order in which they appeared
	reads     int    // how many readings the bounds are of
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
			t = &tally{part: dropreason.Of(c.Cell).Class == dropreason.ClassPart, number: b.appeared, reads: b.meter.Reads()}
			b.appeared++
			b.cells[c.Cell] = t
		}
		if t.part {
			continue
		}
		b.settle(t)
		if t.tick != b.ticks {
			t.tick, t.last = b.ticks, t.all
		}
		t.all += c.Drops
		if reads := b.meter.Reads(); reads > 0 && !b.latest.late && b.ticks == b.latest.ticks+1 {
			if t.end.most = t.all; reads == 1 {
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
	b.latest = reading{b.ticks, e.Time < b.tick}
	if b.meter.Reads() == 1 {
		b.first = b.latest
	}
}

// settle brings the bounds up to date of a cell that has not counted since its last reading.
func (b *Book) settle(t *tally) {
	reads := b.meter.Reads()
	if t.reads == reads {
		return
	}
	if t.reads == 0 {
		t.first = t.at(b.first)
	}
	t.reads, t.end = reads, t.at(b.latest)
}

// at bounds what had been counted at a reading, if nothing has been since.
func (t *tally) at(r reading) bounds {
	if r.late {
		return bounds{t.before(r.ticks), t.all}
	}
	return bounds{t.all, t.all}
}

// before returns what was counted before a tick that none of those after it changed.
func (t *tally) before(tick int) uint64 {
	if t.tick == tick {
		return t.last
	}
	return t.all
}

// Movements returns how far each of the node's counters moved so far.
func (b *Book) Movements() []event.Movement { return b.meter.Movements() }

// counted bounds the drops of a cell that counters have counted.
func (b *Book) counted(t *tally) bounds {
	b.settle(t)
	return bounds{t.end.least - min(t.end.least, t.first.most), t.end.most - min(t.end.most, t.first.least)}
}
