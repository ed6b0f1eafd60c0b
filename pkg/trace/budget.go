// SPDX-License-Identifier: Apache-2.0

package trace

import "slices"

// fairShare returns the limit in samples per second for each cell, so that all cells together
// use the budget. rates are the drops per second of each cell. A cell that drops less than its
// share leaves the rest to the others. fairShare sorts rates.
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
