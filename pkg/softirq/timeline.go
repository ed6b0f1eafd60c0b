// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"cmp"
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

const (
	// slack is the most that lies between two records of one moment.
	slack = time.Millisecond
	// Silences, in sampler periods: after the first a task is not trusted, after the
	// second a raise is stale.
	doubtAfter, staleAfter = 3, 10
	// staleUnsampled is the silence after which a raise is stale if nothing samples.
	staleUnsampled = time.Second
)

// segment is a span of time that goes to one activity.
type segment struct {
	from, till time.Duration
	activity   activity
	dead       bool // so silent that the CPU was offline or suspended
}

// timeline cuts the time of a window into segments, up to evidence.end.
type timeline struct {
	evidence *evidence
	now      running
	last     time.Duration // end of the last segment
	lost     bool          // edges are missing after last
	segments []segment
}

// timeline returns the segments from the origin, or an earlier first packet, to the end.
func (e *evidence) timeline() []segment {
	from := e.origin
	if e.arrivals.known > 0 {
		from = min(from, max(e.window.Start, e.arrivals.first))
	}
	edges, samples := e.window.Edges, e.samples
	t := &timeline{evidence: e, last: from, now: running{vector: noVector, rest: noVector}}
	t.lost = len(edges) == 0 && e.window.EdgesLost > 0
	t.before()
	for len(edges) > 0 || len(samples) > 0 {
		switch {
		case len(samples) == 0 || len(edges) > 0 && edges[0].Time <= samples[0].Time:
			t.cut(edges[0].Time, true, false)
			t.now.apply(&edges[0], t.last)
			t.lost = t.lost || len(edges) == 1 && e.window.EdgesLost > 0 || t.losesTrack(&edges[0])
			edges = edges[1:]
		case samples[0].Time < t.last || samples[0].Time > e.end:
			samples = samples[1:]
		default:
			t.sample(&samples[0])
			samples = samples[1:]
		}
	}
	t.cut(e.end, !t.lost || e.end-t.last <= t.period()+slack, true)
	return t.overlaid()
}

// losesTrack reports whether the activity after an edge is unknown: a recorder that keeps
// no edges of NET_RX does not show which tasks NET_RX interrupts.
func (t *timeline) losesTrack(edge *event.Edge) bool {
	return t.evidence.slowPackets && edge.Kind == event.EdgeSwitch &&
		!slices.ContainsFunc(t.evidence.window.Edges, func(e event.Edge) bool {
			return e.Vector == kernel.NetRXSoftirq && (e.Kind == event.EdgeSoftirqEntry || e.Kind == event.EdgeSoftirqExit)
		})
}

// sample ends a segment at a sample. If edges are missing, the sample stands for the time
// halfway to the previous one.
func (t *timeline) sample(s *event.CPUSample) {
	agrees := t.now.agrees(s) || t.evidence.slowPackets && t.now.servesNetRX(s)
	if !agrees && t.lost && t.quiet(t.last, s.Time) <= t.doubt() {
		t.cut(t.last+(s.Time-t.last)/2, true, false)
		t.now.adopt(s)
		agrees = true
	}
	t.cut(s.Time, agrees, false)
	t.now.adopt(s)
}

// before cuts the time up to the instant of Window.At by the begin of each activity that
// goes on there, and leaves its task running.
func (t *timeline) before() {
	at, instant := &t.evidence.window.At, t.evidence.instant()
	for _, edge := range begins(at) {
		t.cut(min(edge.Time, instant), true, false)
		t.now.apply(&edge, t.last)
	}
	t.cut(instant, true, false)
	if t.evidence.slowPackets {
		if w := t.evidence.window; w.Waiter == event.WaiterPackets {
			t.cut(w.Served, false, false) // the packet waited for NET_RX to begin
		}
		if t.now.vector == noVector {
			t.now.vector = kernel.NetRXSoftirq
		}
	}
	if t.now.vector == kernel.NetRXSoftirq {
		t.now.rest = kernel.NetRXSoftirq
	}
	t.now.task, t.now.taskKnown = at.Task, at.Task != event.Task{}
}

// begins returns the edges that began the activities that go on at an instant, by time.
func begins(at *event.Interrupted) []event.Edge {
	var edges []event.Edge
	if at.Vector >= 0 && at.VectorSince != 0 {
		edges = append(edges, event.Edge{Time: at.VectorSince, Kind: event.EdgeSoftirqEntry, Vector: uint8(at.Vector)})
	}
	if at.Timer != nil {
		edges = append(edges, event.Edge{Time: at.TimerSince, Kind: event.EdgeTimerEntry, Function: at.Timer})
	}
	if at.IRQ >= 0 && at.IRQSince != 0 {
		edges = append(edges, event.Edge{Time: at.IRQSince, Kind: event.EdgeIRQEntry, IRQ: at.IRQ, Handler: at.Handler})
	}
	slices.SortStableFunc(edges, func(a, b event.Edge) int { return cmp.Compare(a.Time, b.Time) })
	return edges
}

// cut ends a segment at till, which is clamped to the time not yet cut. The segment is
// unaccounted if it is not believed. No edge and no sample ends an open segment.
func (t *timeline) cut(till time.Duration, believed, open bool) {
	e := t.evidence
	till = min(max(till, t.last), e.end)
	if till == t.last {
		return
	}
	s := segment{from: t.last, till: till, activity: t.now.activity()}
	quiet := t.quiet(s.from, till)
	switch kind := s.activity.kind; {
	case kind == stall.PartIdle:
		s.dead = quiet > t.stale() && !t.lost && !e.missing
	case kind == stall.PartTask, open && kind != stall.PartUnaccounted, t.lost:
		s.dead = quiet > t.stale() && !t.lost && !e.missing
		believed = believed && quiet <= t.doubt()
	}
	if !believed || s.dead || e.isWaiter(&s.activity) {
		s.activity = activity{kind: stall.PartUnaccounted}
	}
	t.segments = append(t.segments, s)
	t.last = till
}

// quiet returns how long the sampler was due and silent between two times at which an
// edge or a sample was seen.
func (t *timeline) quiet(from, till time.Duration) time.Duration {
	due := max(from, t.evidence.instant()+t.evidence.delay)
	return max(0, till-due-t.blockedWithin(due, till))
}

// doubt returns the longest silence in which a task is trusted to go on running.
func (t *timeline) doubt() time.Duration {
	if t.evidence.window.Period <= 0 {
		return staleUnsampled
	}
	return min(doubtAfter*t.period(), staleUnsampled)
}

// stale returns the longest silence of a CPU that is online.
func (t *timeline) stale() time.Duration {
	if t.evidence.window.Period <= 0 {
		return staleUnsampled
	}
	return min(staleAfter*t.period(), staleUnsampled)
}

// period returns the time between two kept samples.
func (t *timeline) period() time.Duration {
	return min(t.evidence.window.Period, staleUnsampled) * time.Duration(max(1, t.evidence.stride))
}

// blockedWithin returns how long interrupts are known to have been off between two times.
func (t *timeline) blockedWithin(from, till time.Duration) time.Duration {
	if t.evidence.blocked == nil {
		return 0
	}
	return max(0, min(till, t.evidence.blocked.Till)-max(from, t.evidence.blocked.From))
}

// overlaid returns the segments with evidence.blocked written over those that say less.
func (t *timeline) overlaid() []segment {
	b := t.evidence.blocked
	if b == nil {
		return t.segments
	}
	out := make([]segment, 0, len(t.segments)+2)
	for _, s := range t.segments {
		from, till := max(s.from, b.From), min(s.till, b.Till)
		if from >= till {
			out = append(out, s)
			continue
		}
		head, middle, tail := s, s, s
		head.till, middle.from, middle.till, tail.from = from, from, till, till
		middle.activity, middle.dead = t.evidence.blockedActivity(s.activity), false
		for _, part := range []segment{head, middle, tail} {
			if part.from < part.till {
				out = append(out, part)
			}
		}
	}
	return out
}

// blockedActivity returns the activity of a segment in evidence.blocked. An idle CPU makes
// timers late as well, so a late timer proves nothing there.
func (e *evidence) blockedActivity(seen activity) activity {
	b := e.blocked
	switch {
	case seen.kind == stall.PartHardirq, seen.kind == stall.PartIdle && b.Late:
		return seen
	case !b.Late:
		return activity{kind: stall.PartHardirq, handler: b.Handler, function: b.Function}
	case seen.kind == stall.PartSoftirq:
		return seen
	case seen.kind == stall.PartUnaccounted && e.backOn().Task.PID == 0:
		return activity{kind: stall.PartIdle}
	}
	return activity{kind: stall.PartIRQsOff}
}
