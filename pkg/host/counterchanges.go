// SPDX-License-Identifier: Apache-2.0

//go:build linux

package host

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// CounterChanges tells of a node's counters what changed from reading to reading.
type CounterChanges struct {
	reader *CounterReader
	known  map[event.Counter]knownValue
	links  map[event.Link]bool
	turn   bool // changes with each reading, to tell what is gone
}

type knownValue struct {
	value uint64
	turn  bool // of the reading that had it last
}

// NewCounterChanges fails as NewCounterReader does.
func NewCounterChanges() (*CounterChanges, error) {
	reader, err := NewCounterReader()
	if err != nil {
		return nil, err
	}
	return &CounterChanges{reader: reader, known: map[event.Counter]knownValue{}, links: map[event.Link]bool{}}, nil
}

// Notes returns what could not be read, and why.
func (c *CounterChanges) Notes() []string { return c.reader.Notes() }

// Read returns what is new or has changed since the reading before, with the time since
// start.
func (c *CounterChanges) Read(start time.Time) (*event.Counters, error) {
	e := &event.Counters{Time: time.Since(start)}
	readings, err := c.reader.Read()
	if err != nil {
		return nil, err
	}
	c.turn = !c.turn
	for _, r := range readings {
		if was, ok := c.known[r.Counter]; !ok || was.value != r.Value {
			e.Readings = append(e.Readings, r)
		}
		c.known[r.Counter] = knownValue{r.Value, c.turn}
	}
	for counter, k := range c.known {
		if k.turn != c.turn {
			delete(c.known, counter)
			e.Gone = append(e.Gone, counter)
		}
	}
	for _, link := range c.reader.Links() {
		if !c.links[link] {
			c.links[link] = true
			e.Links = append(e.Links, link)
		}
	}
	return e, nil
}
