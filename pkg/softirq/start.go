// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// dismissal is why a window is no stall; empty if it is one.
type dismissal string

const (
	dismissInvalid dismissal = "invalid" // contradicts itself
	dismissEmpty   dismissal = "empty"   // nothing waited
	dismissStale   dismissal = "stale"   // the raise was not pending any more
	dismissShort   dismissal = "short"   // packets waited for less than the threshold
	dismissTwice   dismissal = "twice"   // another window told of the same
)

// findStart finds when packets began to wait; see the package comment.
func (e *evidence) findStart(threshold time.Duration) dismissal {
	seen := &e.arrivals
	since, stale := e.pendingSince()
	if e.isLongest() {
		e.end = e.window.LongestEnd
		e.start = e.end - e.window.Longest
		if e.window.Longest < threshold || seen.late == 0 {
			return dismissShort
		}
		return ""
	}
	switch {
	case seen.late == 0 && seen.known > 0 && seen.longest < threshold:
		return dismissShort
	case seen.late == 0:
		if seen.after || !e.wasPending() {
			return dismissEmpty
		}
		e.start = max(since, e.instant())
	case !seen.unknown:
		if seen.longest < threshold {
			return dismissShort
		}
		e.start = max(e.window.Start, seen.first)
	default:
		pending := e.end - max(since, e.instant())
		if seen.known > 0 && seen.longest < threshold && pending < threshold {
			return dismissShort
		}
		e.start = since
		if seen.known > 0 {
			e.start = min(since, max(e.window.Start, seen.first))
		}
		e.bound = e.slowPackets || e.start < e.instant() || !e.raised()
	}
	e.start = min(e.start, e.end)
	switch {
	case e.end-e.start >= threshold:
		return ""
	case seen.longest >= threshold && !e.slowPackets:
		return e.waitForDrain(threshold)
	case stale:
		return dismissStale
	}
	return dismissShort
}

// isLongest reports whether the stall is the longest wait of a packet behind others, as
// the kernel side measured it. Older recordings do not have it.
func (e *evidence) isLongest() bool {
	return e.window.Waiter == event.WaiterPackets && e.window.Longest > 0
}

// waitForDrain turns to the time in which packets were handled, if it was that which
// took long.
func (e *evidence) waitForDrain(threshold time.Duration) dismissal {
	drained := e.drained()
	if drained-e.start < threshold {
		return dismissShort
	}
	// The edges end with the entry, and then network work ran.
	e.segments = append(e.segments, segment{
		from: e.end, till: drained, activity: activity{kind: PartSoftirq, vector: netRX},
	})
	e.slowPackets, e.end = true, drained
	return ""
}

// drained returns when all that had waited was handled.
func (e *evidence) drained() time.Duration {
	drained := max(e.window.Done, e.end)
	for i := range e.arrivals.waited {
		drained = max(drained, e.arrivals.waited[i].Time)
	}
	return drained
}
