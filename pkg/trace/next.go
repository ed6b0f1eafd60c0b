// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/cilium/ebpf/ringbuf"

	"github.com/dropwatch/dropwatch/pkg/event"
)

const (
	tickInterval = time.Second
	// pollInterval is the longest time that a sample waits in the ring buffer. The programs
	// wake the reader only when the ring fills, because the wake-up would slow down the CPU
	// that drops.
	pollInterval = 100 * time.Millisecond
)

type state int

const (
	running state = iota
	drained
	ended
)

// duty is a periodic task of Next, done before it waits for a sample.
type duty struct {
	next  time.Time // when it is due
	every time.Duration
	// do returns an event or nil. more says that more events may follow, so that the duty
	// stays due.
	do func(now time.Time) (e event.Event, more bool, err error)
}

func (t *Tracer) newDuties(now time.Time) []duty {
	return []duty{
		{now.Add(tickInterval), tickInterval, t.countAll},
		{now, pollInterval, t.lookForStalls},
		{now, pollInterval, t.limitWait},
	}
}

// Next implements event.Source. It waits for a sample or for the next tick, which
// comes once a second.
func (t *Tracer) Next() (event.Event, error) {
	if len(t.first) > 0 {
		e := t.first[0]
		t.first = t.first[1:]
		return e, nil
	}
	switch t.state {
	case drained:
		return t.finish()
	case ended:
		return nil, io.EOF
	}
	for {
		if e, err := t.dutyEvent(time.Now()); e != nil || err != nil {
			return e, err
		}
		if e, err := t.sample(); e != nil || err != nil {
			return e, err
		}
	}
}

// dutyEvent performs the duties that are due, up to the first event.
func (t *Tracer) dutyEvent(now time.Time) (event.Event, error) {
	for i := range t.duties {
		d := &t.duties[i]
		if now.Before(d.next) {
			continue
		}
		e, more, err := d.do(now)
		if !more {
			d.next = now.Add(d.every)
		}
		if e != nil || err != nil {
			return e, err
		}
	}
	return nil, nil
}

// sample waits for a sample until the deadline of limitWait. It returns nil if no sample came or
// it could not be decoded, and the last tick when the ring is drained.
func (t *Tracer) sample() (event.Event, error) {
	err := t.reader.ReadInto(&t.raw)
	switch {
	case err == nil:
		if t.totals.Read++; t.decode() {
			return &t.drop, nil
		}
		return nil, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, nil
	case errors.Is(err, ringbuf.ErrFlushed):
		t.state = drained
		return t.count(time.Now())
	}
	return nil, fmt.Errorf("read ring buffer: %w", err)
}

// limitWait sets the deadline of the following waits for a sample.
func (t *Tracer) limitWait(now time.Time) (event.Event, bool, error) {
	t.reader.SetDeadline(now.Add(pollInterval))
	return nil, false, nil
}

// finish yields the last events after Stop: counters, stalls, and the end.
func (t *Tracer) finish() (event.Event, error) {
	if t.counters != nil {
		if e := t.counters.end(); e != nil {
			return e, nil
		}
	}
	if e, err := t.stall(); e != nil || err != nil {
		return e, err
	}
	t.state = ended
	t.end = event.End{Time: t.tick.Time, Totals: t.totals, Loss: t.loss}
	if t.stalls != nil {
		t.stalls.count(&t.waits)
		t.waits.Paused += t.stalls.pausedFor(time.Now())
		t.end.Stalls = &t.waits
	}
	return &t.end, nil
}

// countAll reads the cells, and then the node's counters if they are due. After Stop it does
// nothing: sample reads the cells when the ring is drained.
func (t *Tracer) countAll(now time.Time) (event.Event, bool, error) {
	if t.stopping.Load() {
		return nil, false, nil
	}
	tick, err := t.count(now)
	if err != nil || t.counters == nil {
		return tick, false, err
	}
	counters, err := t.counters.due(now, t.meta.Start)
	if err != nil {
		return nil, false, fmt.Errorf("read counters: %w", err)
	}
	if counters != nil {
		t.first = append(t.first[:0], counters)
	}
	return tick, false, nil
}

// lookForStalls yields the pending events of stalls. Then it pauses the stall programs if the
// machine is too busy for them.
func (t *Tracer) lookForStalls(now time.Time) (event.Event, bool, error) {
	if e, err := t.stall(); e != nil || err != nil {
		return e, true, err
	}
	if t.stalls == nil || t.stopping.Load() {
		return nil, false, nil
	}
	paused, err := t.stalls.keepPace(now)
	t.waits.Paused += paused
	if err != nil {
		return nil, false, fmt.Errorf("watch for stalls: %w", err)
	}
	return nil, false, nil
}

// stall returns the next pending event of stalls, or nil.
func (t *Tracer) stall() (event.Event, error) {
	if t.stalls == nil {
		return nil, nil
	}
	for {
		t.stalls.reader.SetDeadline(time.Unix(0, 1)) // do not wait
		e, err := t.stalls.next(t.resolver, &t.waits)
		switch {
		case e != nil:
			return e, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("read ring buffer: %w", err)
		}
	}
}

func (t *Tracer) decode() bool {
	if err := t.record.decode(t.raw.RawSample); err != nil {
		t.loss.Malformed++
		return false
	}
	t.resolver.drop(&t.drop, &t.record, &t.loss)
	t.drop.Bytes = t.drop.Bytes[:min(len(t.drop.Bytes), t.config.Snaplen)]
	return true
}

// count reads the cells and divides the budget among them by their rates.
func (t *Tracer) count(now time.Time) (event.Event, error) {
	t.tally.reset()
	t.cells.read(t.resolver, &t.tally)
	again := func(c *event.Cell) { t.tally.add(event.Count{Cell: c}) } // the tick repeats renamed cells
	t.resolver.netns.again(again)
	t.resolver.devices.take(again)
	for _, c := range t.tally.counts {
		t.totals.Drops += c.Drops
		t.totals.Bytes += c.Bytes
		t.totals.Segments += c.Segments
		if c.Cell.Overflow {
			t.loss.Overflow += c.Drops
		}
	}
	t.stats.read(&t.totals, &t.loss)
	t.loss.Missed = t.hook.missed()

	elapsed := now.Sub(t.lastTick).Seconds()
	t.lastTick = now
	if rates := t.cells.rates; !t.config.Exact && elapsed > tickInterval.Seconds()/2 {
		for i := range rates {
			rates[i] /= elapsed
		}
		t.stats.share(uint32(max(1, fairShare(rates, float64(t.config.UnwindBudget)))))
	}
	t.tick = event.Tick{
		Time: now.Sub(t.meta.Start), Counts: t.tally.counts, Totals: t.totals, Loss: t.loss, Gone: t.cells.gone,
	}
	return &t.tick, nil
}

// Behind reports whether more samples are in the ring buffer, so that Next would not wait.
func (t *Tracer) Behind() bool { return t.state == running && t.raw.Remaining > 0 }
