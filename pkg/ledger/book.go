// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"github.com/dropwatch/dropwatch/pkg/event"
)

// Book keeps counters beside drops, between the first event.Counters and the last.
type Book struct {
	meter  event.Meter
	links  map[device]event.Link
	cells  map[*event.Cell]*tally
	traced bool
}

// tally is how many drops a cell counted: so far, and at the first and the last time
// that counters were read.
type tally struct{ all, first, last uint64 }

// device names a network device of a node.
type device struct {
	netns uint32
	name  string
}

// NewBook returns an empty Book.
func NewBook() *Book {
	return &Book{links: map[device]event.Link{}, cells: map[*event.Cell]*tally{}}
}

// Add adds an event.
func (b *Book) Add(e event.Event) {
	switch e := e.(type) {
	case *event.Tick:
		b.traced = true
		for _, c := range e.Counts {
			b.cell(c.Cell).all += c.Drops
		}
	case *event.Counters:
		b.read(e)
	}
}

func (b *Book) cell(c *event.Cell) *tally {
	t := b.cells[c]
	if t == nil {
		t = &tally{}
		b.cells[c] = t
	}
	return t
}

func (b *Book) read(e *event.Counters) {
	b.meter.Add(e)
	for _, l := range e.Links {
		b.links[device{l.Netns.Inode, l.Name}] = l
	}
	for _, t := range b.cells {
		if t.last = t.all; b.meter.Reads() == 1 {
			t.first = t.all
		}
	}
}

// Movements returns how far each of the node's counters moved so far.
func (b *Book) Movements() []event.Movement { return b.meter.Movements() }

// drops returns how many drops a cell counted while counters were watched.
func (t *tally) drops() uint64 { return t.last - t.first }
