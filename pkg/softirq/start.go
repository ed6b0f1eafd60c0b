// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// dismissal is why a window is not a stall; empty if it is one.
type dismissal string

const (
	dismissEmpty dismissal = "empty" // nothing waited
	dismissStale dismissal = "stale" // the raise was no longer pending
	dismissShort dismissal = "short" // packets waited for less than the threshold
	dismissTwice dismissal = "twice" // the previous stall covers it
)

// wait is when packets waited, and what the CPU did meanwhile.
type wait struct {
	start, end  time.Duration
	bound       bool      // packets may have arrived later than start
	slowPackets bool      // packets waited behind others, not for NET_RX
	segments    []segment // of the CPU's time; they cover start to end
}

// findStart returns when packets waited; the package comment has the rules. The end of the
// wait is valid even if the window is dismissed.
func (e *evidence) findStart(segments []segment, threshold time.Duration) (wait, dismissal) {
	a := &e.arrivals
	w := wait{end: e.end, slowPackets: e.slowPackets, segments: segments}
	if e.hasLongest() {
		w.end = e.window.LongestEnd
		w.start = w.end - e.window.Longest
		if e.window.Longest < threshold || a.late == 0 {
			return w, dismissShort
		}
		return w, ""
	}
	since, stale := e.pendingSince(segments)
	switch {
	case a.late == 0 && a.known > 0 && a.longest < threshold:
		return w, dismissShort
	case a.late == 0:
		if a.after || !e.wasPending() {
			return w, dismissEmpty
		}
		w.start = max(since, e.instant())
	case !a.unknown:
		if a.longest < threshold {
			return w, dismissShort
		}
		w.start = max(e.window.Start, a.first)
	default:
		pending := e.end - max(since, e.instant())
		if a.known > 0 && a.longest < threshold && pending < threshold {
			return w, dismissShort
		}
		w.start = since
		if a.known > 0 {
			w.start = min(since, max(e.window.Start, a.first))
		}
		w.bound = e.slowPackets || w.start < e.instant() || !e.raised()
	}
	w.start = min(w.start, w.end)
	switch {
	case w.end-w.start >= threshold:
		return w, ""
	case a.longest >= threshold && !e.slowPackets:
		w = e.untilDrained(w)
		if w.end-w.start >= threshold {
			return w, ""
		}
	case stale:
		return w, dismissStale
	}
	return w, dismissShort
}

// hasLongest reports whether the BPF programs measured the longest wait of a packet behind
// others. Recordings before schema 4 lack it.
func (e *evidence) hasLongest() bool {
	return e.window.Waiter == event.WaiterPackets && e.window.Longest > 0
}

// untilDrained returns a wait extended by the time in which packets were handled: NET_RX
// was entered soon, and packets waited behind others.
func (e *evidence) untilDrained(w wait) wait {
	drained := e.drained(w.end)
	// Edges end with the entry of NET_RX; from there on it ran.
	run := segment{from: w.end, till: drained, activity: activity{kind: stall.PartSoftirq, vector: kernel.NetRXSoftirq}}
	w.segments = append(slices.Clone(w.segments), run)
	w.slowPackets, w.end = true, drained
	return w
}

// drained returns when all packets that waited until end were handled.
func (e *evidence) drained(end time.Duration) time.Duration {
	drained := max(e.window.Done, end)
	for i := range e.arrivals.waited {
		drained = max(drained, e.arrivals.waited[i].Time)
	}
	return drained
}

// wasPending reports whether network work is known to have been pending although no packet
// was listed. A thread is woken for other reasons as well; its polls then handle nothing.
func (e *evidence) wasPending() bool {
	if !e.raised() {
		return false
	}
	if e.window.Waiter != event.WaiterSoftirq {
		return e.window.Waiter == event.WaiterThread && !kernel.IsKsoftirqd(e.waiter().Comm, true) && e.window.Polls.Packets > 0
	}
	for i := range e.samples {
		if s := &e.samples[i]; s.PendingKnown && s.Pending&(1<<kernel.NetRXSoftirq) != 0 {
			return true
		}
	}
	return e.window.Polls.Packets > 0
}

// pendingSince returns the earliest time from which network work can have been pending
// without a break, and whether the raise before it is stale.
func (e *evidence) pendingSince(segments []segment) (since time.Duration, stale bool) {
	since = e.origin
	if e.slowPackets {
		return since, false
	}
	move := func(till time.Duration) {
		if till > since {
			since, stale = till, true
		}
	}
	isThread := e.window.Waiter == event.WaiterThread
	if !isThread || kernel.IsKsoftirqd(e.waiter().Comm, true) {
		for i := range e.window.Edges {
			edge := &e.window.Edges[i]
			if edge.Kind == event.EdgeSoftirqExit && edge.Vector == kernel.NetRXSoftirq && edge.Time < e.end {
				move(edge.Time)
			}
		}
	}
	for i := range e.samples {
		s := &e.samples[i]
		isClear := s.PendingKnown && s.Pending&(1<<kernel.NetRXSoftirq) == 0 && !servesSoftirq(&s.At)
		if isClear && !isThread && s.Time < e.end {
			move(e.nextRaise(s.Time))
		}
	}
	for _, s := range segments {
		if s.dead {
			move(e.nextRaise(s.till))
		}
	}
	return min(since, e.end), stale
}

// nextRaise returns the first time after from at which NET_RX is raised or a sample finds it
// pending; the end if there is none.
func (e *evidence) nextRaise(from time.Duration) time.Duration {
	next := e.end
	for i := range e.window.Edges {
		edge := &e.window.Edges[i]
		if edge.Kind == event.EdgeRaise && edge.Vector == kernel.NetRXSoftirq && edge.Time >= from {
			next = min(next, edge.Time)
		}
	}
	for i := range e.samples {
		if s := &e.samples[i]; s.PendingKnown && s.Pending&(1<<kernel.NetRXSoftirq) != 0 && s.Time >= from {
			return min(next, s.Time)
		}
	}
	return next
}
