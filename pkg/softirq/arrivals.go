// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// maxReach is how long before a window one of its packets can have arrived. While
// interrupts are off the first evidence is the next timer, a tick later at most. An
// earlier arrival belongs to another packet at the same address.
const maxReach = 2 * slowestTick

// arrivals sums up the packets of a window.
type arrivals struct {
	waited  []event.LatePacket // listed packets that waited for the threshold, or may have
	late    uint64             // number of such packets, listed or not
	known   int                // listed packets with a known arrival
	after   bool               // a packet arrived after the end
	unknown bool               // the arrival of a packet is unknown
	first   time.Duration      // earliest known arrival
	longest time.Duration      // longest known delay
}

// arrivalsOf sums up the packets that were listed for a window. It leaves out those that
// arrived after the end, and those that waited for less than the threshold.
func arrivalsOf(w *event.Window, end time.Duration, listed []event.LatePacket, threshold time.Duration) arrivals {
	a := arrivals{late: w.Late, longest: w.Longest}
	if w.Longest > 0 {
		a.known, a.first = 1, w.LongestEnd-w.Longest
	}
	for _, p := range listed {
		if p.Queued < w.Start-maxReach && w.Longest == 0 {
			p.Queued = 0
		}
		switch {
		case !p.ArrivalKnown():
			a.unknown = true
		case p.Queued >= end:
			a.after = true
			a.late -= min(a.late, 1)
			continue
		default:
			if a.known == 0 || p.Queued < a.first {
				a.first = p.Queued
			}
			a.known++
			a.longest = max(a.longest, p.Time-p.Queued)
			if p.Time-p.Queued < threshold {
				a.late -= min(a.late, 1)
				continue
			}
		}
		a.waited = append(a.waited, p)
	}
	a.late = max(a.late, uint64(len(a.waited)))
	a.unknown = a.unknown || a.known == 0 && a.late > 0
	return a
}
