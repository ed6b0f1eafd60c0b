// SPDX-License-Identifier: Apache-2.0

package rtt

import "time"

// Drain is an instant at which a queue was drained: replies to packets sent one
// after the other arrived together, each with a round-trip time shorter than the
// one before by the interval between their sends, 99, 89, 79 … ms.
type Drain struct {
	Time     time.Time     // of the first of these replies, see Reply.Time; zero for a log without times
	Interval time.Duration // by which round-trip times fell from one sequence number to the next, the mean
	First    uint64        // unwrapped sequence numbers; the packet First was sent MaxRTT before the drain
	Last     uint64
	Replies  int           // fewer than Last-First+1 if packets were lost
	MaxRTT   time.Duration // of First: packets waited at least that long, less the way's own time
}

// MinRTT returns the round-trip time of Last, to a nanosecond for each packet: what is left
// of the wait of a packet that was sent just before the drain.
func (d *Drain) MinRTT() time.Duration {
	return d.MaxRTT - d.Interval*time.Duration(d.Last-d.First)
}

// With times, two packets that were sent apart and arrived together are a drain.
const fewestTimed = 2

// Drains finds the drains in replies of one log, in their order. Replies arrive
// together if no more than within passed from first to last; it should be less
// than the interval between sends, or replies just after a drain count as part of
// it. 1 ms suits an interval of 5 ms and more. A drain shows only if its
// round-trip times fall by more than within.
//
// Replies without times, as hping3 logs them, are a drain where at least three
// round-trip times fall, each by the interval between sends, by up to within less
// or, as a send may be late, by up to half the interval more. The interval is what
// the longest sawtooth falls by that has at least five replies, each fall more than
// within and none off the mean by more than that; without one there are no drains.
// In a log sent at intervals of seconds, chance can look like that.
func Drains(replies []Reply, within time.Duration) []Drain {
	replies = answered(replies)
	switch {
	case len(replies) == 0:
		return nil
	case replies[0].Time.IsZero():
		return untimed(replies, within)
	}
	return timed(replies, within)
}

// answered leaves out what has no round-trip time of its own.
func answered(replies []Reply) []Reply {
	kept := make([]Reply, 0, len(replies))
	for _, r := range replies {
		if !r.Unanswered && !r.Duplicate {
			kept = append(kept, r)
		}
	}
	return kept
}

// timed finds the drains in a log with times: groups of replies with rising
// sequence numbers, falling round-trip times, and times not apart by more than
// within.
func timed(replies []Reply, within time.Duration) []Drain {
	var drains []Drain
	end := 0
	for start := 0; start < len(replies); start++ {
		first := replies[start]
		end = max(end, start+1)
		for ; end < len(replies); end++ {
			next, last := replies[end], replies[end-1]
			// Equal ones may differ by less than is printed.
			falls := next.Unwrapped > last.Unwrapped && next.RTT <= last.RTT
			if !falls || next.Time.Sub(first.Time).Abs() > within {
				break
			}
		}
		if group := replies[start:end]; len(group) >= fewestTimed && first.RTT-group[len(group)-1].RTT > within {
			drains = append(drains, drainOf(group))
			start = end - 1
		}
	}
	return drains
}

func drainOf(group []Reply) Drain {
	first, last := group[0], group[len(group)-1]
	return Drain{
		Time: first.Time, Interval: fall(first, last), First: first.Unwrapped, Last: last.Unwrapped,
		Replies: len(group), MaxRTT: first.RTT,
	}
}

// fall returns by how much the round-trip time falls for each sequence number.
func fall(from, to Reply) time.Duration {
	return (from.RTT - to.RTT) / time.Duration(to.Unwrapped-from.Unwrapped)
}
