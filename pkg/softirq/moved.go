// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"cmp"
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// maxMoved is the number of kept windows of threads that moved on to wait on another CPU.
// A wait that turns out short has no last window, so they need a limit.
const maxMoved = 64

// moved is the window of a CPU on which a thread waited before it moved.
type moved struct {
	window *event.Window
	group  *group
}

// keepMoved keeps a window until the last one of the same wait comes.
func (t *Tracker) keepMoved(w *event.Window, g *group) {
	if len(t.moved) == maxMoved {
		t.moved = slices.Delete(t.moved, 0, 1)
	}
	kept := *w
	kept.Edges = slices.Clone(w.Edges)
	t.moved = append(t.moved, moved{&kept, g})
}

// takeMoved returns the kept windows of the wait that w is the last one of, the earliest
// first, and drops those of earlier waits of the same thread.
func (t *Tracker) takeMoved(w *event.Window) (before []moved) {
	if w.Waiter != event.WaiterThread || w.Woken == 0 {
		return nil
	}
	var others []moved
	for _, m := range t.moved {
		switch isThread := m.window.ThreadPID == w.ThreadPID; {
		case isThread && m.window.Woken == w.Woken:
			before = append(before, m)
		case !isThread || m.window.Woken > w.Woken: // otherwise of an earlier, short wait
			others = append(others, m)
		}
	}
	t.moved = others
	slices.SortStableFunc(before, func(a, b moved) int { return cmp.Compare(a.window.Raised, b.window.Raised) })
	return before
}

// join returns one window for a wait on several CPUs: what each did while the thread was in
// its run queue. Where a window is missing, the activity is unknown.
func join(before []moved, last *event.Window, g *group) (*event.Window, *group) {
	whole := *last
	var groups []*group
	whole.Start, whole.Raised = last.Woken, last.Woken
	whole.At, whole.Blocked, whole.Edges = event.Interrupted{Vector: noVector, IRQ: noVector}, nil, nil
	whole.EdgesLost, whole.Ticks, whole.Stolen = 0, 0, 0
	at := last.Woken
	for _, m := range append(before, moved{last, g}) {
		w := m.window
		if w.Raised > at+seam {
			whole.Edges = append(whole.Edges, event.Edge{Time: at, Kind: event.EdgeSwitch}) // to an unknown task
		}
		if w.Raised == last.Woken {
			whole.Start, whole.At = w.Start, w.At
		} else {
			whole.Edges = append(whole.Edges, switchTo(w.Raised, &w.At))
		}
		whole.Edges = append(whole.Edges, w.Edges...)
		whole.EdgesLost += w.EdgesLost
		whole.Ticks += w.Ticks
		whole.Stolen += w.Stolen
		whole.StolenKnown = whole.StolenKnown && w.StolenKnown
		if b := w.Blocked; b != nil && (w.Raised == last.Woken || b.From >= w.Raised) {
			whole.Blocked = b
		}
		groups = append(groups, m.group.between(w.Raised, w.Served))
		at = w.Served
	}
	return &whole, merged(groups)
}

// seam is the most that lies between the end of a wait on one CPU and its begin on the next.
// The BPF program takes both from one reading of the clock.
const seam = 10 * time.Microsecond

// switchTo returns the edge to the task that a CPU ran when the thread moved to it.
func switchTo(at time.Duration, to *event.Interrupted) event.Edge {
	return event.Edge{
		Time: at, Kind: event.EdgeSwitch, Task: to.Task, Policy: to.Policy, Priority: to.Priority, Kthread: to.Kthread,
	}
}

// between returns a group with all packets and with the samples between two times. The
// other samples were taken for other work that waited on the CPU.
func (g *group) between(from, till time.Duration) *group {
	part := *g
	part.samples = filter(g.samples, func(s *event.CPUSample) bool { return s.Time >= from && s.Time <= till+slack })
	return &part
}
