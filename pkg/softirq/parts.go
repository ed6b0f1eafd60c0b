// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// account is where the time of a wait went. Nothing changes it once it is made.
type account struct {
	total time.Duration
	spent map[activity]time.Duration // sums to total; none is 0
}

// newAccount returns the sums of the segments in a wait, less stolen time.
func newAccount(w wait, stolen time.Duration) account {
	spent := map[activity]time.Duration{}
	for _, s := range w.segments {
		if d := min(s.till, w.end) - max(s.from, w.start); d > 0 {
			spent[s.activity] += d
		}
	}
	return account{total: w.end - w.start, spent: withStolen(spent, stolen)}
}

// withStolen returns an account with stolen time in place of other time: of time with
// interrupts disabled, then of unaccounted time, then of the largest rest.
func withStolen(spent map[activity]time.Duration, stolen time.Duration) map[activity]time.Duration {
	if stolen <= 0 {
		return spent
	}
	order := byTime(spent)
	slices.SortStableFunc(order, func(x, y activity) int { return cmp.Compare(stolenRank(x), stolenRank(y)) })
	rest, left := map[activity]time.Duration{}, stolen
	for _, w := range order {
		d := min(left, spent[w])
		left -= d
		if spent[w] > d {
			rest[w] = spent[w] - d
		}
	}
	rest[activity{kind: stall.PartStolen}] = stolen - left
	return rest
}

// stolenRank orders activities by where stolen time is counted first.
func stolenRank(w activity) int {
	switch w.kind {
	case stall.PartIRQsOff:
		return 0
	case stall.PartUnaccounted:
		return 1
	}
	return 2
}

// stolen returns how much of a wait the hypervisor took at least. Window.Stolen covers the
// whole window, so time outside the wait may account for some of it.
func stolen(window *event.Window, w wait) time.Duration {
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

// sorted returns the activities, the one with the most time first.
func (a *account) sorted() []activity { return byTime(a.spent) }

func byTime(spent map[activity]time.Duration) []activity {
	return slices.SortedFunc(maps.Keys(spent), func(x, y activity) int {
		return cmp.Or(-cmp.Compare(spent[x], spent[y]), x.compare(y))
	})
}

// compare orders activities with equal time.
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

// parts returns an account as the parts of a stall.
func (a *account) parts() []stall.Part {
	var parts []stall.Part
	for _, w := range a.sorted() {
		p := stall.Part{
			Kind: w.kind, Task: event.Task{PID: w.pid, TGID: w.tgid, Comm: w.comm},
			IRQ: w.irq, Handler: w.handler, Function: w.function,
			Duration: a.spent[w], Share: a.share(w),
		}
		if w.kind == stall.PartSoftirq {
			p.Softirq = kernel.SoftirqName(w.vector)
		}
		parts = append(parts, p)
	}
	return parts
}

// share returns the share of an activity in the wait, 0 to 1.
func (a *account) share(w activity) float64 {
	if a.total <= 0 {
		return 0
	}
	return min(1, float64(a.spent[w])/float64(a.total))
}

// of returns the time of all activities that meet a condition.
func (a *account) of(is func(activity) bool) time.Duration {
	var sum time.Duration
	for w, d := range a.spent {
		if is(w) {
			sum += d
		}
	}
	return sum
}
