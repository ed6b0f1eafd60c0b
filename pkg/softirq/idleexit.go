// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"slices"
	"time"
)

// idleExitHistory is how long a CPU's latest idle exits took.
type idleExitHistory struct{ last []time.Duration }

// Idle exits: how many are remembered, how many make a habit, and what is believed
// without one.
const (
	maxSleeps    = 8
	habit        = 3
	ordinaryExit = 20 * time.Millisecond
)

// add remembers one, and reports whether it is as long as those before, and whether it
// is short enough to be an idle exit at all.
func (s *idleExitHistory) add(d time.Duration) (usual, credible bool) {
	if len(s.last) >= habit {
		sorted := slices.Sorted(slices.Values(s.last))
		usual = d <= 2*sorted[len(sorted)/2]
	}
	if len(s.last) == maxSleeps {
		s.last = slices.Delete(s.last, 0, 1)
	}
	s.last = append(s.last, d)
	return usual, usual || d <= ordinaryExit
}
