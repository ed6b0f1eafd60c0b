// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/softirq"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// StallWindows says in one line how many windows were judged, how many of them were
// stalls, and why the others were not.
func StallWindows(s softirq.Stats) string {
	text := fmt.Sprintf("%s judged: %s", spell.Plural(s.Windows, "window"), spell.Plural(s.Stalls, "stall"))
	for _, part := range []struct {
		n   uint64
		why string
	}{
		{s.Moved, "part of a later window"},
		{s.Short, "shorter than the threshold"},
		{s.Empty, "with nothing waiting"},
		{s.Stale, "with a stale raise"},
		{s.Twice, "covered by another stall"},
		{s.Invalid, "inconsistent"},
	} {
		if part.n > 0 {
			text += fmt.Sprintf(", %s %s", spell.Thousands(part.n), part.why)
		}
	}
	var unused []string
	if s.Orphans > 0 {
		unused = append(unused, spell.Thousands(s.Orphans)+" without a window")
	}
	if s.Left > 0 {
		unused = append(unused, spell.Thousands(s.Left)+" above the limit of a window")
	}
	if len(unused) > 0 {
		text += "; samples and packets not used: " + strings.Join(unused, ", ")
	}
	return text
}
