// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fatih/color"

	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// WriteDiffText writes a Comparison as a table of rates with a line that accounts for
// every drop of each side. Sides are lettered from A. In color, growth is red, a
// fall green and what stayed the same faint.
func WriteDiffText(w io.Writer, c *profile.Comparison, inColor bool) error {
	var b strings.Builder
	for i, s := range c.Sides {
		fmt.Fprintf(&b, "%s  %s: %s\n", profile.Letter(i), s.Name, headline(s.Meta, s.Lost(), s.Duration, s.LossRate()))
	}
	if len(c.Changes) > 0 {
		b.WriteByte('\n')
		if err := diffTable(&b, c, inColor); err != nil {
			return err
		}
		if left := c.Count - len(c.Changes); left > 0 {
			fmt.Fprintf(&b, "and %s; dropwatch diff -n 0 shows all\n", spell.Plural(uint64(left), "more group"))
		}
	}
	fmt.Fprintf(&b, "\ntotal %s\n", steps(c.Total))
	if len(c.Benign.Rates) > 0 {
		fmt.Fprintf(&b, "benign %s, not in the total\n", steps(c.Benign))
	}
	for i, s := range c.Sides {
		fmt.Fprintf(&b, "%s  %s\n", profile.Letter(i), profile.Accounting(s.Total.Drops, s.Parts, s.Sampled, s.Loss, s.Missing))
	}
	diffNotes(&b, c)
	_, err := io.WriteString(w, b.String())
	return err
}

// steps spells rates from side to side.
func steps(t profile.Trend) string {
	var rates []string
	for _, v := range t.Rates {
		rates = append(rates, rate(v)+"/s")
	}
	return fmt.Sprintf("%s (%s)", strings.Join(rates, " → "), changePercent(t))
}

func diffTable(w io.Writer, c *profile.Comparison, inColor bool) error {
	columns := []string{"class"}
	for i := range c.Sides {
		columns = append(columns, profile.Letter(i)+"/s")
	}
	columns = append(columns, "delta/s", "change")
	t := newTable(append(columns, c.By...), 1, len(columns))
	for _, change := range c.Changes {
		tinted := func(text string) string { return text }
		if inColor {
			tinted = func(text string) string { return paintTrend(change.Trend, text) }
		}
		cells := []string{tinted(string(change.Class))}
		for i, v := range change.Rates {
			cells = append(cells, mark(change.Values[i].Exact)+rate(v))
		}
		cells = append(cells, tinted(signedRate(change.Delta)), tinted(changePercent(change.Trend)))
		t.row(append(cells, keyCells(c.By, change.Key)...))
	}
	return t.write(w)
}

func diffNotes(b *strings.Builder, c *profile.Comparison) {
	if !c.Exact {
		b.WriteString(legend)
	}
	if slices.ContainsFunc(c.Changes, func(change profile.Change) bool {
		reason, _ := reasonOf(c.By, change.Key)
		return reason.Inferred
	}) {
		b.WriteString(inferredLegend)
	}
	if c.MinChange > 0 {
		fmt.Fprintf(b, "note: a change up to %s of the larger rate counts as same\n", percent(c.MinChange))
	}
	if c.ByFunction {
		b.WriteString("note: the kernels differ, so locations are functions without offsets\n")
	}
	for i, s := range c.Sides {
		for _, note := range slices.Concat(s.Remarks, s.Meta.Notes) {
			fmt.Fprintf(b, "note: %s: %s\n", profile.Letter(i), note)
		}
		if s.Cut != nil {
			fmt.Fprintf(b, "note: %s: %v\n", profile.Letter(i), s.Cut)
		}
	}
}

func paintTrend(t profile.Trend, text string) string {
	switch {
	case t.Class == profile.ClassSame:
		return tint(color.Faint, text)
	case t.Delta > 0:
		return tint(color.FgRed, text)
	}
	return tint(color.FgGreen, text)
}
