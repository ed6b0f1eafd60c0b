// SPDX-License-Identifier: Apache-2.0

package rtt

import "time"

const (
	// Without times, three round-trip times that fall by the interval between sends
	// make a drain; the interval is known from five that fall evenly.
	fewestUntimed = 3
	fewestRegular = 5
)

// untimed finds the drains in a log without times.
func untimed(replies []Reply, within time.Duration) []Drain {
	interval := interval(replies, within)
	if interval == 0 {
		return nil
	}
	return sawteeth(replies, fewestUntimed, func(group []Reply, next Reply) bool {
		fall := fall(group[len(group)-1], next)
		return fall >= interval-within && fall <= interval+interval/2
	})
}

// interval returns the interval between sends as the longest sawtooth shows it, or
// 0 if none is long enough.
func interval(replies []Reply, within time.Duration) time.Duration {
	var longest Drain
	for _, d := range sawteeth(replies, fewestRegular, func(group []Reply, next Reply) bool {
		first, last := group[0], group[len(group)-1]
		step := fall(last, next)
		return step > within && (len(group) == 1 || (step-fall(first, last)).Abs() <= within)
	}) {
		if d.Replies > longest.Replies {
			longest = d
		}
	}
	return longest.Interval
}

// sawteeth finds groups of at least so many replies with rising sequence numbers
// in which each fits those before it.
func sawteeth(replies []Reply, fewest int, fits func(group []Reply, next Reply) bool) []Drain {
	var drains []Drain
	for start := 0; start < len(replies); {
		end := start + 1
		for end < len(replies) && replies[end].Unwrapped > replies[end-1].Unwrapped && fits(replies[start:end], replies[end]) {
			end++
		}
		if end-start >= fewest {
			drains = append(drains, drainOf(replies[start:end]))
			start = end
		} else {
			start++
		}
	}
	return drains
}
