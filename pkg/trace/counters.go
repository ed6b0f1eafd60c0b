// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"fmt"
	"sync"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/host"
)

// counterShare is the part of one CPU that reading counters may take.
const counterShare = 0.01

// counters are the node's own, read beside the cells.
type counters struct {
	lock   sync.Mutex // the last reading is another goroutine's
	reader *host.CounterReader
	known  map[event.Counter]known
	links  map[event.Link]bool
	turn   bool // changes with each reading, to tell what is gone
	next   time.Time
	last   *event.Counters // read when the tracer was stopped
}

type known struct {
	value uint64
	turn  bool // of the reading that had it last
}

func openCounters() (*counters, error) {
	reader, err := host.NewCounterReader()
	if err != nil {
		return nil, err
	}
	return &counters{reader: reader, known: map[event.Counter]known{}, links: map[event.Link]bool{}}, nil
}

// read returns what is new or has changed. The next reading is due after a second, or
// later where that would take too much of a CPU.
func (c *counters) read(since time.Time) (*event.Counters, error) {
	began := time.Now()
	readings, err := c.reader.Read()
	if err != nil {
		return nil, err
	}
	e := &event.Counters{Time: began.Sub(since)}
	c.turn = !c.turn
	for _, r := range readings {
		if was, ok := c.known[r.Counter]; !ok || was.value != r.Value {
			e.Readings = append(e.Readings, r)
		}
		c.known[r.Counter] = known{r.Value, c.turn}
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
	took := time.Since(began)
	c.next = began.Add(max(tickInterval, time.Duration(float64(took)/counterShare)))
	return e, nil
}

// due returns a reading if it is time for one, else nil.
func (c *counters) due(now, since time.Time) (*event.Counters, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if now.Before(c.next) || c.last != nil {
		return nil, nil
	}
	return c.read(since)
}

// finish reads once more; the reading is that of the end.
func (c *counters) finish(since time.Time) (err error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.last, err = c.read(since)
	return err
}

// end returns the reading of the end, once.
func (c *counters) end() *event.Counters {
	c.lock.Lock()
	defer c.lock.Unlock()
	e := c.last
	c.last = nil
	return e
}

// watchCounters reads the counters, and the cells with them, so that both count from the
// same moment. Drops are recorded without it too.
func (t *Tracer) watchCounters() error {
	reader, err := openCounters()
	if err != nil {
		t.meta.Notes = append(t.meta.Notes, "the node's own counters are not recorded: "+err.Error())
		return nil
	}
	t.counters = reader
	tick, err := t.count(time.Now())
	if err != nil {
		return err
	}
	first, err := t.counters.due(time.Now(), t.meta.Start)
	if err != nil {
		return fmt.Errorf("read counters: %w", err)
	}
	t.first = []event.Event{tick, first}
	for _, note := range t.counters.reader.Notes() {
		t.meta.Notes = append(t.meta.Notes, "counters: "+note)
	}
	return nil
}
