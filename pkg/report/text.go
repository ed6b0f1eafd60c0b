// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

const (
	legend         = "≈ estimated from samples; what has no mark is exact\n"
	inferredLegend = "~ inferred from the location; the kernel stated no reason\n"
)

// WriteText writes a Report as a table with a line that accounts for every drop. What is
// said to be lost, in the first lines and as shares, has no benign drops in it.
// In color, reasons show their class: red for loss, yellow for policy, faint for
// benign.
func WriteText(w io.Writer, r *Report, inColor bool) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, headline(r.Meta, r.Lost.Drops, r.Duration, r.perSecond()))
	if r.Lost.Segments > r.Lost.Drops {
		fmt.Fprintf(b, "of %s that GSO or GRO had joined\n", spell.Plural(r.Lost.Segments, "segment"))
	}
	if r.Unseen > 0 {
		fmt.Fprintf(b, "and %s more known only from counters\n", spell.Thousands(r.Unseen))
	}
	for _, note := range r.Meta.Notes {
		fmt.Fprintf(b, "note: %s\n", note)
	}
	if len(r.Groups) > 0 {
		b.WriteByte('\n')
		if err := r.table(b, inColor); err != nil {
			return err
		}
		if left := r.Count - len(r.Groups); left > 0 {
			fmt.Fprintf(b, "and %s in %d more; dropwatch report -n 0 shows them\n", spell.Plural(r.More.Drops, "drop"), left)
		}
	}
	if r.Drops > r.Lost.Drops {
		fmt.Fprintf(b, "\n%s\n", r.benignLine(inColor))
	}
	if r.Parts > 0 {
		fmt.Fprintf(b, "\n%s\n", partsLine(r.Parts))
	}
	fmt.Fprintf(b, "\n%s\n", profile.Accounting(r.Drops, r.Parts, r.Sampled, r.Loss, r.Missing))
	if !r.Exact {
		b.WriteString(legend)
	}
	if slices.ContainsFunc(r.Groups, func(g Group) bool { return g.Inferred }) {
		b.WriteString(inferredLegend)
	}
	if r.Ledger != nil {
		b.WriteByte('\n')
		if err := ledgerText(b, r.Ledger, inColor, r.Limit, "dropwatch report -n 0"); err != nil {
			return err
		}
	}
	if !r.Stalls.quiet() {
		b.WriteByte('\n')
		if err := r.Stalls.WriteText(b, r.Limit); err != nil {
			return err
		}
	}
	return b.Flush()
}

// benignLine says how many drops are benign, and stands for those that were folded.
func (r *Report) benignLine(inColor bool) string {
	f := r.Benign
	text := fmt.Sprintf("benign: %s%s in %s: %s; dropwatch report --all shows them",
		mark(f.Exact), spell.Plural(f.Drops, "drop"), spell.Plural(uint64(f.Groups), "group"), several(f.Reasons))
	if f.Drops == 0 {
		text = fmt.Sprintf("benign: %s; shares leave them out", spell.Plural(r.Drops-r.Lost.Drops, "drop"))
	}
	if inColor {
		return paint(dropreason.ClassBenign, text)
	}
	return text
}

// partsLine tells of what was freed with packets.
func partsLine(parts uint64) string {
	return fmt.Sprintf("parts: %s of packets freed with them, which are no drops; each packet is one, if it was lost",
		spell.Thousands(parts))
}

// headline says what was recorded where and when, and how much was lost.
func headline(meta *event.Meta, drops uint64, d time.Duration, perSecond float64) string {
	return fmt.Sprintf("%s on %s, Linux %s: %s in %s (%s/s)",
		meta.Start.Format(time.DateTime), meta.Host, meta.Kernel,
		spell.Plural(drops, "drop"), d.Round(time.Millisecond), rate(perSecond))
}

func (r *Report) perSecond() float64 {
	if r.Duration <= 0 {
		return 0
	}
	return float64(r.Lost.Drops) / r.Duration.Seconds()
}

// joined reports whether packets in the table are known to have held several segments.
func (r *Report) joined() bool {
	return slices.ContainsFunc(r.Groups, func(g Group) bool { return g.Segments > g.Drops })
}

func (r *Report) table(w io.Writer, inColor bool) error {
	numbers := []string{"drops", "share", "drops/s"}
	if r.joined() {
		numbers = slices.Insert(numbers, 1, "segments")
	}
	t := newTable(slices.Concat(numbers, r.By), 0, len(numbers))
	reason := slices.Index(r.By, "reason")
	for _, g := range r.Groups {
		share := percent(g.Share)
		if g.Class == dropreason.ClassBenign {
			share = "-"
		}
		cells := []string{mark(g.Exact) + spell.Thousands(g.Drops), share, rate(g.Rate)}
		if len(numbers) > 3 {
			cells = slices.Insert(cells, 1, mark(g.Exact)+spell.Thousands(g.Segments))
		}
		cells = append(cells, keyCells(r.By, g.Key)...)
		if inColor && reason >= 0 {
			cells[len(numbers)+reason] = paint(g.Class, cells[len(numbers)+reason])
		}
		t.row(cells)
	}
	return t.write(w)
}

// keyCells spells the values of a group's dimensions.
func keyCells(by, key []string) []string {
	cells := slices.Clone(key)
	for i, name := range by {
		if name == "stack" {
			cells[i] = upright(key[i])
		}
	}
	return cells
}

// upright spells a stack as perf does, a function a line, the innermost first.
func upright(stack string) string {
	frames := strings.Split(stack, ";")
	slices.Reverse(frames)
	return strings.Join(frames, "\n")
}

func paint(class dropreason.Class, text string) string {
	switch class {
	case dropreason.ClassLoss:
		return tint(color.FgRed, text)
	case dropreason.ClassPolicy:
		return tint(color.FgYellow, text)
	case dropreason.ClassBenign:
		return tint(color.Faint, text)
	}
	return text
}

func tint(attribute color.Attribute, text string) string {
	c := color.New(attribute)
	c.EnableColor()
	return c.Sprint(text)
}
