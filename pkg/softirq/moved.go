// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"cmp"
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// maxMoved is how many windows are kept of threads that went on to wait on another CPU.
// Those of a wait that was short after all have no last window.
const maxMoved = 64

// moved is what a CPU did while a thread waited on it that then moved.
type moved struct {
	window *event.Window
	group  *group
}

// keepMoved keeps such a window until the last one of the wait comes.
func (t *Tracker) keepMoved(w *event.Window, g *group) {
	if len(t.moved) == maxMoved {
		t.moved = slices.Delete(t.moved, 0, 1)
	}
	kept := *w
	kept.Edges = slices.Clone(w.Edges)
	t.moved = append(t.moved, moved{&kept, g})
}

// takeMoved returns the windows of the same wait on other CPUs, the earliest first.
func (t *Tracker) takeMoved(w *event.Window) (before []moved) {
	if w.Waiter != event.WaiterThread || w.Woken == 0 {
		return nil
	}
	var others []moved
	for _, m := range t.moved {
		switch isThread := m.window.ThreadPID == w.ThreadPID; {
		case isThread && m.window.Woken == w.Woken:
			before = append(before, m)
		case !isThread || m.window.Woken > w.Woken: // else of an earlier wait that was short
			others = append(others, m)
		}
	}
	t.moved = others
	slices.SortStableFunc(before, func(a, b moved) int { return cmp.Compare(a.window.Raised, b.window.Raised) })
	return before
}

// join makes one window of a wait on one CPU after another: what each did while the thread
// was in its queue. Where a window is missing, that is not known.
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
			whole.Edges = append(whole.Edges, event.Edge{Time: at, Kind: event.EdgeSwitch}) // to nobody knows whom
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

// seam is what may pass between the end of a wait on one CPU and the begin of it on the
// next, which the kernel side notes by one reading of the clock.
const seam = 10 * time.Microsecond

// switchTo returns the edge to what a CPU was about when a thread came to it.
func switchTo(at time.Duration, to *event.Interrupted) event.Edge {
	return event.Edge{
		Time: at, Kind: event.EdgeSwitch, Task: to.Task, Policy: to.Policy, Priority: to.Priority, Kthread: to.Kthread,
	}
}

// between returns a group of all packets and of the samples between two times: others
// were taken for what waited on the CPU besides.
func (g *group) between(from, till time.Duration) *group {
	part := *g
	part.samples = filter(g.samples, func(s *event.CPUSample) bool { return s.Time >= from && s.Time <= till+slack })
	return &part
}
