// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"cmp"
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// account is where the time of a window went.
type account struct {
	total time.Duration
	spent map[activity]time.Duration // sums to total; none is 0
}

// account adds up the segments in a wait.
func (e *evidence) account(w wait) account {
	a := account{total: w.end - w.start, spent: map[activity]time.Duration{}}
	for _, s := range w.segments {
		if d := min(s.till, w.end) - max(s.from, w.start); d > 0 {
			a.spent[s.activity] += d
		}
	}
	a.takeStolen(e.stolen(w))
	return a
}

// stolen returns how much of a wait the hypervisor kept for itself at least: what it kept
// outside of it may have been all of that.
func (e *evidence) stolen(w wait) time.Duration {
	window := e.window
	if !window.StolenKnown {
		return 0
	}
	end := window.Served
	if window.Waiter == event.WaiterPackets {
		end = max(window.Served, window.Done)
	}
	outside := max(0, w.start-window.Start) + max(0, end-w.end)
	return min(max(0, window.Stolen-outside), w.end-w.start)
}

// takeStolen takes stolen time from where it was counted: where the CPU seemed to be
// without interrupts, then where nothing is known, then from the largest.
func (a *account) takeStolen(stolen time.Duration) {
	if stolen <= 0 {
		return
	}
	order := a.sorted()
	slices.SortStableFunc(order, func(x, y activity) int { return cmp.Compare(stolenRank(x), stolenRank(y)) })
	left := stolen
	for _, w := range order {
		d := min(left, a.spent[w])
		left -= d
		if a.spent[w] -= d; a.spent[w] == 0 {
			delete(a.spent, w)
		}
	}
	a.spent[activity{kind: PartStolen}] = stolen - left
}

func stolenRank(w activity) int {
	switch w.kind {
	case PartIRQsOff:
		return 0
	case PartUnaccounted:
		return 1
	}
	return 2
}

// sorted returns what time was spent on, the largest first.
func (a *account) sorted() []activity {
	all := make([]activity, 0, len(a.spent))
	for w := range a.spent {
		all = append(all, w)
	}
	slices.SortFunc(all, func(x, y activity) int {
		return cmp.Or(-cmp.Compare(a.spent[x], a.spent[y]), x.compare(y))
	})
	return all
}

// compare orders what took equally long.
func (w activity) compare(o activity) int {
	return cmp.Or(cmp.Compare(w.kind, o.kind), cmp.Compare(w.pid, o.pid), cmp.Compare(w.tgid, o.tgid),
		cmp.Compare(w.comm, o.comm), cmp.Compare(w.irq, o.irq), cmp.Compare(w.handler, o.handler),
		cmp.Compare(w.vector, o.vector), cmp.Compare(frameName(w.function), frameName(o.function)))
}

func frameName(f *event.Frame) string {
	if f == nil {
		return ""
	}
	return f.String()
}

// parts spells an account.
func (a *account) parts() []Part {
	var parts []Part
	for _, w := range a.sorted() {
		p := Part{
			Kind: w.kind, Task: event.Task{PID: w.pid, TGID: w.tgid, Comm: w.comm},
			IRQ: w.irq, Handler: w.handler, Function: w.function,
			Duration: a.spent[w], Share: a.share(a.spent[w]),
		}
		if w.kind == PartSoftirq {
			p.Softirq = vectorName(w.vector)
		}
		parts = append(parts, p)
	}
	return parts
}

// share returns a time's share of the window.
func (a *account) share(d time.Duration) float64 {
	if a.total <= 0 {
		return 0
	}
	return min(1, float64(d)/float64(a.total))
}

// of sums up what was spent on what a condition holds for.
func (a *account) of(is func(activity) bool) time.Duration {
	var sum time.Duration
	for w, d := range a.spent {
		if is(w) {
			sum += d
		}
	}
	return sum
}
