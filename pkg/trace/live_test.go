// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// seen is the events of a tracer during an action.
type seen struct {
	counts map[*event.Cell]event.Count
	drops  []event.Drop
	end    event.End
	ticks  atomic.Int64 // so far; the rest is for when the tracer has ended
}

// watch traces the running kernel while do runs.
func watch(t testing.TB, config trace.Config, do func()) *seen {
	t.Helper()
	labtest.NeedRoot(t)
	tracer, err := trace.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return watchBy(t, tracer, func(*seen) { do() })
}

// watchBy is watch with a tracer that is open, and closes it.
func watchBy(t testing.TB, tracer *trace.Tracer, do func(*seen)) *seen {
	t.Helper()
	s := &seen{counts: map[*event.Cell]event.Count{}}
	done := make(chan error, 1)
	go func() { done <- s.collect(tracer) }()
	do(s)
	if err := tracer.Stop(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := tracer.Close(); err != nil {
		t.Error(err)
	}
	s.check(t)
	return s
}

func (s *seen) collect(tracer *trace.Tracer) error {
	for {
		e, err := tracer.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := e.(type) {
		case *event.Drop:
			d := *e
			d.Bytes = append([]byte(nil), e.Bytes...)
			s.drops = append(s.drops, d)
		case *event.Tick:
			s.ticks.Add(1)
			for _, c := range e.Counts {
				sum := s.counts[c.Cell]
				s.counts[c.Cell] = event.Count{Cell: c.Cell, Drops: sum.Drops + c.Drops, Bytes: sum.Bytes + c.Bytes, Segments: sum.Segments + c.Segments}
			}
		case *event.End:
			s.end = *e
		}
	}
}

// await waits for n more ticks.
func (s *seen) await(n int64) {
	for until := s.ticks.Load() + n; s.ticks.Load() < until; {
		time.Sleep(10 * time.Millisecond)
	}
}

// check holds for whatever was traced: totals are the cells' sums, and every
// sample that was submitted was read.
func (s *seen) check(t testing.TB) {
	t.Helper()
	var drops, bytes, segments uint64
	for _, c := range s.counts {
		drops += c.Drops
		bytes += c.Bytes
		segments += c.Segments
	}
	if n := s.end.Totals; drops != n.Drops || bytes != n.Bytes || segments != n.Segments {
		t.Errorf("cells hold %d drops, %d bytes and %d segments, totals %+v", drops, bytes, segments, n)
	}
	if n := s.end.Totals; n.Sampled != n.Read {
		t.Errorf("%d samples submitted, %d read", n.Sampled, n.Read)
	}
	if uint64(len(s.drops))+s.end.Loss.Malformed != s.end.Totals.Read {
		t.Errorf("%d samples and %d malformed ones of %d read", len(s.drops), s.end.Loss.Malformed, s.end.Totals.Read)
	}
	if s.end.Loss.Malformed != 0 {
		t.Errorf("%d malformed samples", s.end.Loss.Malformed)
	}
}

// in returns the counts of cells in a namespace.
func (s *seen) in(netns uint32) (counts []event.Count) {
	for _, c := range s.counts {
		if c.Cell.Netns.Inode == netns {
			counts = append(counts, c)
		}
	}
	return counts
}
