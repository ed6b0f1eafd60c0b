// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"fmt"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Accounting says in one line what was counted, what was unwound and what was lost
// where: the first thing to read of a recording.
func Accounting(drops uint64, t event.Totals, l event.Loss) string {
	var b strings.Builder
	unwound := event.Unwound(t, l)
	fmt.Fprintf(&b, "%s drops counted, %s unwound", Thousands(drops), Thousands(unwound))
	if drops > unwound {
		fmt.Fprintf(&b, ", %s not unwound", Thousands(drops-unwound))
	}
	var lost []string
	for _, part := range []struct {
		n    uint64
		what string
	}{
		{l.RingFull, "samples without room in the ring buffer"},
		{t.Sampled - min(t.Sampled, t.Read), "samples not read"},
		{l.Malformed, "malformed samples"},
		{l.StackFailed, "stacks not unwound"},
		{l.StackTable, "stacks past the room for different ones"},
		{l.Overflow, "drops past the room for cells"},
	} {
		if part.n > 0 {
			lost = append(lost, Thousands(part.n)+" "+part.what)
		}
	}
	switch {
	case l.Missed == nil:
		lost = append(lost, "missed drops not available")
	case *l.Missed > 0:
		lost = append(lost, Thousands(*l.Missed)+" drops missed")
	}
	if len(lost) == 0 {
		return b.String() + "; nothing lost"
	}
	return b.String() + "; lost: " + strings.Join(lost, ", ")
}

// Thousands writes a number with separators, 1,234,567.
func Thousands(n uint64) string {
	digits := fmt.Sprint(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
