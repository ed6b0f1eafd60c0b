// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/spell"
)

// whole returns all drops and what was lost unseen.
func (s *Sums[K]) whole() Value {
	sum := s.Total
	sum.Drops += s.Unseen.Drops
	return sum
}

// Remarks returns what must be known of the sums besides their accounting: packets that
// only counters tell of, and counters that do not agree with what was traced.
func (s *Sums[K]) Remarks() (lines []string) {
	if s.Unseen.Drops > 0 {
		lines = append(lines, fmt.Sprintf("%s more are known only from counters.", spell.Thousands(s.Unseen.Drops)))
	}
	if s.Ledger == nil {
		return lines
	}
	for i := range s.Ledger.Rows {
		if r := &s.Ledger.Rows[i]; r.Off() {
			lines = append(lines, fmt.Sprintf("Not to be trusted: %s moved by %s, %s of that traced.",
				r, spell.Thousands(r.Delta), spell.Plural(r.Traced, "drop")))
		}
	}
	return lines
}
