// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// arrivalKnown reports whether a packet says when it came.
func arrivalKnown(p *event.LatePacket) bool { return p.Queued != 0 && p.Queued <= p.Time }

// earlier is how long before the evidence of a window a packet of it can have come:
// if interrupts are off, the first that proves it is the next timer. What claims to
// have come before that was taken for another packet.
const earlier = 2 * slowestTick

// arrivals sums up what the packets of a window say.
type arrivals struct {
	known   int
	after   bool          // some packet came after the end
	unknown bool          // some packet does not say when it came
	first   time.Duration // the earliest known arrival
	longest time.Duration // the longest known delay
}

// arrived drops the packets that came after the end, which did not wait, sums up the
// others, and drops of them those that waited for less than the threshold.
func (e *evidence) arrived(threshold time.Duration) arrivals {
	a := arrivals{longest: e.window.Longest}
	if a.longest > 0 {
		a.known, a.first = 1, e.window.LongestEnd-a.longest
	}
	waited := e.packets[:0]
	for i := range e.packets {
		p := &e.packets[i]
		if p.Queued < e.window.Start-earlier && e.window.Longest == 0 {
			p.Queued = 0
		}
		switch {
		case !arrivalKnown(p):
			a.unknown = true
		case p.Queued >= e.end:
			a.after = true
			e.late -= min(e.late, 1)
			continue
		default:
			if a.known == 0 || p.Queued < a.first {
				a.first = p.Queued
			}
			a.known++
			a.longest = max(a.longest, p.Time-p.Queued)
			if p.Time-p.Queued < threshold {
				e.late -= min(e.late, 1)
				continue
			}
		}
		waited = append(waited, *p)
	}
	e.packets = waited
	e.late = max(e.late, uint64(len(waited)))
	a.unknown = a.unknown || a.known == 0 && e.late > 0
	return a
}
