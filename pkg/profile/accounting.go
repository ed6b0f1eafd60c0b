// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"fmt"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// Accounting says in one line what was counted, what was unwound and what was lost
// where: the first thing to read of a recording. Parts of packets are counted and unwound
// as drops are, and are none. missing is of the samples, see Sums.Missing.
func Accounting(drops, parts uint64, t event.Totals, l event.Loss, missing uint64) string {
	var b strings.Builder
	unwound := event.Unwound(t, l)
	b.WriteString(spell.Plural(drops, "drop"))
	if parts > 0 {
		fmt.Fprintf(&b, " and %s of packets", spell.Plural(parts, "part"))
	}
	fmt.Fprintf(&b, " counted, %s unwound", spell.Thousands(unwound))
	if all := drops + parts; all > unwound {
		fmt.Fprintf(&b, ", %s not unwound", spell.Thousands(all-unwound))
	}
	var lost []string
	for _, part := range []struct {
		n          uint64
		what, fate string
	}{
		{l.RingFull, "sample", "to a full ring buffer"},
		{t.Sampled - min(t.Sampled, t.Read), "sample", "not read"},
		{l.Malformed, "sample", "malformed"},
		{missing, "sample", "missing from the recording"},
		{l.StackFailed, "stack", "not unwound"},
		{l.StackCut, "stack", "deeper than the kernel unwinds"},
		{l.StackTable, "stack", "past the room for stacks"},
		{l.Overflow, "drop", "counted past the room for cells"},
		{missed(l), "drop", "missed in the middle of another"},
	} {
		if part.n > 0 {
			lost = append(lost, spell.Plural(part.n, part.what)+" "+part.fate)
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
