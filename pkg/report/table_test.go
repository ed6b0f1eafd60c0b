// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLongTable compares the rows that tablewriter does not lay out with what it makes of
// them.
func TestLongTable(t *testing.T) {
	columns := []string{"drops", "share", "reason", "stack"}
	odd := []string{"ascii", "", "größer", "漢字", "\x1b[31mred\x1b[0m", "b\nhigh\nlow", "widest of all the cells there are"}
	long, short := newTable(columns, 0, 2), newTable(columns, 0, 2)
	for i := range laidOut + 500 {
		row := []string{fmt.Sprint(i * i), fmt.Sprintf("≈%d %%", i%97), odd[i%len(odd)], odd[i/3%len(odd)]}
		long.row(slices.Clone(row))
		short.row(row)
	}
	var got, want bytes.Buffer
	if err := long.write(&got); err != nil {
		t.Fatal(err)
	}
	if err := short.layOut(&want, short.rows); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(visible(want.String()), visible(got.String())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// visible returns lines without what ends colors, which tablewriter repeats behind spaces.
func visible(text string) (lines []string) {
	for line := range strings.Lines(strings.ReplaceAll(text, "\x1b[0m", "")) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return lines
}
