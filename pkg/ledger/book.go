// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"github.com/dropwatch/dropwatch/pkg/event"
)

// Book keeps counters beside drops, between the first event.Counters and the last.
type Book struct {
	counters  map[event.Counter]*count
	links     map[device]event.Link
	cells     map[*event.Cell]*tally
	snapshots int
	traced    bool
}

// count is what is known of a counter.
type count struct {
	last  uint64 // value, when it was read last
	delta uint64
	gone  bool // before the end
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
	return &Book{
		counters: map[event.Counter]*count{},
		links:    map[device]event.Link{},
		cells:    map[*event.Cell]*tally{},
	}
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
	b.snapshots++
	for _, r := range e.Readings {
		c := b.counters[r.Counter]
		switch {
		case c == nil && b.snapshots == 1:
			c = &count{}
			b.counters[r.Counter] = c
		case c == nil: // of a device or namespace that is new
			c = &count{delta: r.Value}
			b.counters[r.Counter] = c
		default:
			c.delta += moved(r.Source, c.last, r.Value)
		}
		c.last, c.gone = r.Value, false
	}
	for _, counter := range e.Gone {
		if c := b.counters[counter]; c != nil {
			c.gone = true
		}
	}
	for _, l := range e.Links {
		b.links[device{l.Netns.Inode, l.Name}] = l
	}
	for _, t := range b.cells {
		if t.last = t.all; b.snapshots == 1 {
			t.first = t.all
		}
	}
}

// moved returns how far a counter went. One that went back began anew, or, if it has but
// 32 bits in the kernel, went past its end.
func moved(source event.CounterSource, from, to uint64) uint64 {
	if to >= from {
		return to - from
	}
	if source == event.CounterSoftnet || source == event.CounterQdisc {
		if wrapped := uint64(uint32(to) - uint32(from)); wrapped < 1<<31 {
			return wrapped
		}
	}
	return to
}

// drops returns how many drops a cell counted while counters were watched.
func (t *tally) drops() uint64 { return t.last - t.first }
