// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// credible returns the part of the evidence that interrupts were off which nothing
// contradicts, or nil.
func (e *evidence) credible(alive time.Duration) *event.Blocked {
	if e.window.Blocked == nil {
		return nil
	}
	b := *e.window.Blocked
	if !sane(b.From, b.Till) || b.Till-b.From >= blockedLimit {
		return nil
	}
	if b.Late {
		if e.startedLate(&b) {
			return nil
		}
		b.From = max(b.From, alive)
		for i := range e.window.Edges {
			if edge := &e.window.Edges[i]; needsInterrupts(edge.Kind) && edge.Time < b.Till-slack {
				b.From = max(b.From, edge.Time)
			}
		}
		for i := range e.samples {
			if at := e.samples[i].Time; at < b.Till-slack {
				b.From = max(b.From, at)
			}
		}
	}
	if b.From >= b.Till {
		return nil
	}
	return &b
}

// startedLate reports whether a timer was late because somebody started it when its
// time was past, as clock_nanosleep does with TIMER_ABSTIME: then it was the only one.
// The tick is always started ahead, and when interrupts come back on it is late, too,
// if they were off for longer than its period.
func (e *evidence) startedLate(b *event.Blocked) bool {
	if b.Function != nil && slices.Contains(event.TickFunctions(), symbol(b.Function)) {
		return false
	}
	late := 0
	for i := range e.samples {
		if s := &e.samples[i]; s.Late > 0 && s.Time >= b.Till-slack && s.Time <= b.Till+slack {
			late++
		}
	}
	e.singleTimer = late < 2
	return late == 1 && e.window.Period > 0 && b.Till-b.From > e.window.Period+e.delay+slack
}

// blockedLimit is the hard lockup detector's, kernel/watchdog.c: watchdog_thresh.
const blockedLimit = 10 * time.Second

// needsInterrupts reports whether a CPU that shows an edge has interrupts on, or had
// until just then.
func needsInterrupts(kind event.EdgeKind) bool {
	switch kind {
	case event.EdgeSoftirqEntry, event.EdgeIRQEntry, event.EdgeTimerEntry, event.EdgeSwitch:
		return true
	}
	return false
}
