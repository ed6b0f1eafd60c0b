// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

// credibleBlocked returns the part of w.Blocked that no edge and no sample contradicts,
// nil if nothing is left, and whether it rests on a single late timer. Earlier windows
// saw the CPU take interrupts until alive.
func credibleBlocked(w *event.Window, samples []event.CPUSample, delay, alive time.Duration) (_ *event.Blocked, singleTimer bool) {
	if w.Blocked == nil {
		return nil, false
	}
	b := *w.Blocked
	if !sane(b.From, b.Till) || b.Till-b.From >= blockedLimit {
		return nil, false
	}
	if b.Late {
		late := lateTimers(samples, b.Till)
		isTick := b.Function != nil && slices.Contains(kernel.TickFunctions(), symbol(b.Function))
		// A timer may be started when its time is past, as clock_nanosleep does with
		// TIMER_ABSTIME. It is then the only late one. The tick is always started
		// ahead, and it is late as well if interrupts were off for longer than its
		// period.
		isPastDue := late == 1 && w.Period > 0 && b.Till-b.From > w.Period+delay+slack
		if !isTick && isPastDue {
			return nil, true
		}
		singleTimer = !isTick && late < 2
		b.From = max(b.From, alive, lastInterrupt(w, samples, b.Till-slack))
	}
	if b.From >= b.Till {
		return nil, singleTimer
	}
	return &b, singleTimer
}

// lateTimers returns the number of samples of late timers that interrupts coming back on
// at a time set off.
func lateTimers(samples []event.CPUSample, at time.Duration) int {
	return len(filter(samples, func(s *event.CPUSample) bool {
		return s.Late > 0 && s.Time >= at-slack && s.Time <= at+slack
	}))
}

// lastInterrupt returns the last time before end at which an edge or a sample shows that
// the CPU took interrupts, -horizon if there is none.
func lastInterrupt(w *event.Window, samples []event.CPUSample, end time.Duration) time.Duration {
	last := -horizon
	for i := range w.Edges {
		if e := &w.Edges[i]; needsInterrupts(e.Kind) && e.Time < end {
			last = max(last, e.Time)
		}
	}
	for i := range samples {
		if s := &samples[i]; s.Time < end {
			last = max(last, s.Time)
		}
	}
	return last
}

// blockedLimit is the threshold of the hard lockup detector: watchdog_thresh in
// kernel/watchdog.c. Interrupts that were off for longer would have set it off.
const blockedLimit = 10 * time.Second

// needsInterrupts reports whether an edge can only happen with interrupts enabled, now or
// just before.
func needsInterrupts(kind event.EdgeKind) bool {
	switch kind {
	case event.EdgeSoftirqEntry, event.EdgeIRQEntry, event.EdgeTimerEntry, event.EdgeSwitch:
		return true
	}
	return false
}

// reachBack returns b with its begin moved back to the first arrival: with interrupts on
// that packet would have been handled. The tick expires a period after interrupts went
// off at most, so an earlier arrival proves nothing. It returns b itself if nothing moves.
func reachBack(b *event.Blocked, a *arrivals, period time.Duration) *event.Blocked {
	if b == nil || !b.Late || a.known == 0 || a.first >= b.From {
		return b
	}
	if period == 0 {
		period = slowestTick
	}
	if b.From-a.first > period+slack {
		return b
	}
	moved := *b
	moved.From = a.first
	return &moved
}
