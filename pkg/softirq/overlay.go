// SPDX-License-Identifier: Apache-2.0

package softirq

import "github.com/dropwatch/dropwatch/pkg/event"

// overlay writes what is known to have kept interrupts off over the stretches that do
// not say more.
func (e *evidence) overlay(stretches []stretch) []stretch {
	b := e.blocked
	if b == nil {
		return stretches
	}
	out := make([]stretch, 0, len(stretches)+2)
	for _, s := range stretches {
		from, till := max(s.from, b.From), min(s.till, b.Till)
		if from >= till {
			out = append(out, s)
			continue
		}
		head, middle, tail := s, s, s
		head.till, middle.from, middle.till, tail.from = from, from, till, till
		middle.what, middle.dead = e.blockedWhat(s.what), false
		for _, part := range []stretch{head, middle, tail} {
			if part.from < part.till {
				out = append(out, part)
			}
		}
	}
	return out
}

// blockedWhat returns what a stretch was, knowing that interrupts were off. A timer is
// late on a CPU that sleeps, too.
func (e *evidence) blockedWhat(seen what) what {
	b := e.blocked
	switch {
	case seen.kind == PartHardirq, seen.kind == PartIdle && b.Late:
		return seen
	case !b.Late:
		return what{kind: PartHardirq, handler: b.Handler, function: b.Function}
	case seen.kind == PartSoftirq:
		return seen
	case seen.kind == PartUnaccounted && e.backOn().Task.PID == 0:
		return what{kind: PartIdle}
	}
	return what{kind: PartIRQsOff}
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
