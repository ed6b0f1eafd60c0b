// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// overlay writes what is known to have kept interrupts off over the segments that do
// not say more.
func (e *evidence) overlay(segments []segment) []segment {
	b := e.blocked
	if b == nil {
		return segments
	}
	out := make([]segment, 0, len(segments)+2)
	for _, s := range segments {
		from, till := max(s.from, b.From), min(s.till, b.Till)
		if from >= till {
			out = append(out, s)
			continue
		}
		head, middle, tail := s, s, s
		head.till, middle.from, middle.till, tail.from = from, from, till, till
		middle.activity, middle.dead = e.blockedActivity(s.activity), false
		for _, part := range []segment{head, middle, tail} {
			if part.from < part.till {
				out = append(out, part)
			}
		}
	}
	return out
}

// blockedActivity returns what a segment was, knowing that interrupts were off. A timer is
// late on a CPU that sleeps, too.
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

// backOn returns where interrupts came back on: what the late tick interrupted, or
// else what the raise did.
func (e *evidence) backOn() *event.Interrupted {
	for i := len(e.samples) - 1; i >= 0; i-- {
		if s := &e.samples[i]; s.Late > 0 && s.Time >= e.blocked.Till-slack && s.Time <= e.blocked.Till+slack {
			return &s.At
		}
	}
	return &e.window.At
}
