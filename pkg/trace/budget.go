// SPDX-License-Identifier: Apache-2.0

package trace

import "slices"

// fairShare returns how many samples a second each cell may take so that all
// together take budget, given the drops per second of each: a cell that drops
// less gives what it does not use to the others. It sorts rates.
func fairShare(rates []float64, budget float64) float64 {
	slices.Sort(rates)
	left := budget
	for i, rate := range rates {
		share := left / float64(len(rates)-i)
		if rate > share {
			return share
		}
		left -= rate
	}
	return budget // every drop can be unwound
}
