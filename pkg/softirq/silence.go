// SPDX-License-Identifier: Apache-2.0

package softirq

import "time"

// quiet returns for how long the sampler was silent although it was due between two
// times at which something was seen.
func (e *evidence) quiet(from, till time.Duration) time.Duration {
	due := max(from, e.instant()+e.delay)
	return max(0, till-due-e.blockedWithin(due, till))
}

// doubt returns the longest silence in which a task is believed to run on.
func (e *evidence) doubt() time.Duration {
	if e.window.Period <= 0 {
		return staleUnsampled
	}
	return min(doubtAfter*e.period(), staleUnsampled)
}

// stale returns the longest silence of a CPU that is there.
func (e *evidence) stale() time.Duration {
	if e.window.Period <= 0 {
		return staleUnsampled
	}
	return min(staleAfter*e.period(), staleUnsampled)
}

// period returns the time between two samples that were kept.
func (e *evidence) period() time.Duration {
	return min(e.window.Period, staleUnsampled) * time.Duration(max(1, e.stride))
}

// blockedWithin returns how long interrupts are known to have been off between two times.
func (e *evidence) blockedWithin(from, till time.Duration) time.Duration {
	if e.blocked == nil {
		return 0
	}
	return max(0, min(till, e.blocked.Till)-max(from, e.blocked.From))
}
