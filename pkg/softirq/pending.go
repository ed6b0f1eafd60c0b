// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

// wasPending reports whether network work is known to have been pending though no packet
// was seen. A thread is woken for other reasons, too, but then its polls handle nothing.
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

// pendingSince returns since when network work can have been pending without a break,
// and whether that is later than the window says.
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

// nextRaise returns when NET_RX is seen to be pending from a time on: raised, or found
// so by a sample; else the end.
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
