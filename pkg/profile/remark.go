// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dropwatch/dropwatch/pkg/ledger"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// maxDistrusted is how many counters that do not agree with the trace are named one by one:
// a node of 10,000 namespaces may have as many.
const maxDistrusted = 10

// Remarks returns what must be known of the sums besides their accounting: packets that
// only counters tell of, and counters that do not agree with what was traced, those that
// are off by the most first.
func (s *Sums[K]) Remarks() (lines []string) {
	if s.Unseen.Drops > 0 {
		lines = append(lines, fmt.Sprintf("%s more are known only from counters.", spell.Thousands(s.Unseen.Drops)))
	}
	if s.Ledger == nil {
		return lines
	}
	var off []*ledger.Row
	for i := range s.Ledger.Rows {
		if r := &s.Ledger.Rows[i]; r.Off() {
			off = append(off, r)
		}
	}
	slices.SortStableFunc(off, func(a, b *ledger.Row) int { return cmp.Compare(b.Missed(), a.Missed()) })
	for i, r := range off {
		if i == maxDistrusted {
			lines = append(lines, fmt.Sprintf("Not to be trusted: %s as well.", spell.Plural(uint64(len(off)-i), "more counter")))
			break
		}
		lines = append(lines, fmt.Sprintf("Not to be trusted: %s moved by %s, %s of that traced.",
			r, spell.Thousands(r.Delta), spell.Plural(r.Traced, "drop")))
	}
	return lines
}
