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
	fmt.Fprintf(&b, "%s counted, %s unwound", Plural(drops, "drop"), Thousands(unwound))
	if drops > unwound {
		fmt.Fprintf(&b, ", %s not unwound", Thousands(drops-unwound))
	}
	var lost []string
	for _, part := range []struct {
		n          uint64
		what, fate string
	}{
		{l.RingFull, "sample", "to a full ring buffer"},
		{t.Sampled - min(t.Sampled, t.Read), "sample", "not read"},
		{l.Malformed, "sample", "malformed"},
		{l.StackFailed, "stack", "not unwound"},
		{l.StackCut, "stack", "deeper than the kernel unwinds"},
		{l.StackTable, "stack", "past the room for stacks"},
		{l.Overflow, "drop", "counted past the room for cells"},
		{missed(l), "drop", "missed in the middle of another"},
	} {
		if part.n > 0 {
			lost = append(lost, Plural(part.n, part.what)+" "+part.fate)
		}
	}
	if l.Missed == nil {
		lost = append(lost, "missed drops not available")
	}
	if len(lost) == 0 {
		return b.String() + "; nothing lost"
	}
	return b.String() + "; lost: " + strings.Join(lost, ", ")
}

func missed(l event.Loss) uint64 {
	if l.Missed == nil {
		return 0
	}
	return *l.Missed
}

// Plural writes a number of things, "1 drop" or "1,234 drops".
func Plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Thousands(n) + " " + noun + "s"
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
