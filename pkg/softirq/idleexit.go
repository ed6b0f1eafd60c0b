// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"slices"
	"time"
)

// idleExitHistory holds how long the latest idle exits of a CPU took, the oldest first.
type idleExitHistory []time.Duration

const (
	maxIdleExits  = 8 // remembered
	minIdleExits  = 3 // from which a usual length is known
	ordinaryExit  = 20 * time.Millisecond
	unusualFactor = 2 // times the median
)

// isUsual reports whether an idle exit took as long as those before.
func (h idleExitHistory) isUsual(d time.Duration) bool {
	if len(h) < minIdleExits {
		return false
	}
	sorted := slices.Sorted(slices.Values(h))
	return d <= unusualFactor*sorted[len(sorted)/2]
}

// with returns the history with one more idle exit.
func (h idleExitHistory) with(d time.Duration) idleExitHistory {
	return append(slices.Clone(h[max(0, len(h)+1-maxIdleExits):]), d)
}
