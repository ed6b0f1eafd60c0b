// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"fmt"
	"sync"
	"time"

	"github.com/dropwatch/dropwatch/pkg/counters"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// counterShare is the share of one CPU that reading counters may use.
const counterShare = 0.01

// counterWatch reads the kernel's own counters, which are recorded beside the cells.
type counterWatch struct {
	lock    sync.Mutex // finish runs on another goroutine
	changes *counters.Changes
	next    time.Time
	last    *event.Counters // read by finish
}

// read reads all counters. The next reading is due after one second, or later if readings would
// use more than counterShare.
func (c *counterWatch) read(start time.Time) (*event.Counters, error) {
	began := time.Now()
	e, err := c.changes.Read(start)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	c.next = began.Add(max(tickInterval, time.Duration(float64(took)/counterShare)))
	return e, nil
}

// due returns a reading if one is due, else nil.
func (c *counterWatch) due(now, start time.Time) (*event.Counters, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if now.Before(c.next) || c.last != nil {
		return nil, nil
	}
	return c.read(start)
}

// finish makes the last reading.
func (c *counterWatch) finish(start time.Time) (err error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.last, err = c.read(start)
	return err
}

// end returns the last reading on its first call, then nil.
func (c *counterWatch) end() *event.Counters {
	c.lock.Lock()
	defer c.lock.Unlock()
	e := c.last
	c.last = nil
	return e
}

// watchCounters reads the counters and the cells together, so that both count from the same
// time. If the counters cannot be read, it adds a note, and drops are recorded without them.
func (t *Tracer) watchCounters() error {
	const lacking = "the node's own counters are not recorded: "
	if t.packetsUnreadable {
		t.meta.Notes = append(t.meta.Notes, lacking+"they belong to devices and namespaces, which drops do not carry without packets")
		return nil
	}
	changes, err := counters.NewChanges()
	if err != nil {
		t.meta.Notes = append(t.meta.Notes, lacking+err.Error())
		return nil
	}
	t.counters = &counterWatch{changes: changes}
	tick, err := t.count(time.Now())
	if err != nil {
		return err
	}
	first, err := t.counters.due(time.Now(), t.meta.Start)
	if err != nil {
		return fmt.Errorf("read counters: %w", err)
	}
	t.first = []event.Event{tick, first}
	for _, note := range changes.Notes() {
		t.meta.Notes = append(t.meta.Notes, "counters: "+note)
	}
	return nil
}
