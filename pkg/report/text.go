// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fatih/color"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

// WriteText writes a Report as a table with a line that accounts for every drop.
// In colour, reasons show their class: red for loss, yellow for policy, faint for
// benign.
func WriteText(w io.Writer, r *Report, colour bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s, Linux %s: %s in %s (%s/s)\n",
		r.Meta.Start.Format(time.DateTime), r.Meta.Host, r.Meta.Kernel,
		profile.Plural(r.Drops, "drop"), r.Duration.Round(time.Millisecond), rate(r.perSecond()))
	for _, note := range r.Meta.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	if len(r.Groups) > 0 {
		b.WriteByte('\n')
		if err := r.table(&b, colour); err != nil {
			return err
		}
		if left := r.Count - len(r.Groups); left > 0 {
			fmt.Fprintf(&b, "and %s in %d more; dropwatch report -n 0 shows all\n", profile.Plural(r.More.Drops, "drop"), left)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", profile.Accounting(r.Drops, r.Sampled, r.Loss))
	if !r.Exact {
		b.WriteString("≈ estimated from samples; what has no mark is exact\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) perSecond() float64 {
	if r.Duration <= 0 {
		return 0
	}
	return float64(r.Drops) / r.Duration.Seconds()
}

func (r *Report) table(w io.Writer, colour bool) error {
	t := newTable(append([]string{"drops", "share", "drops/s"}, r.By...), 3)
	reason, stack := slices.Index(r.By, "reason"), slices.Index(r.By, "stack")
	for _, g := range r.Groups {
		mark := ""
		if !g.Exact {
			mark = "≈"
		}
		cells := append([]string{mark + profile.Thousands(g.Drops), percent(g.Share), rate(g.Rate)}, g.Key...)
		if stack >= 0 {
			cells[3+stack] = upright(cells[3+stack])
		}
		if colour && reason >= 0 {
			cells[3+reason] = paint(g.Class, cells[3+reason])
		}
		t.row(cells)
	}
	return t.write(w)
}

// upright spells a stack as perf does, a function a line, the innermost first.
func upright(stack string) string {
	frames := strings.Split(stack, ";")
	slices.Reverse(frames)
	return strings.Join(frames, "\n")
}

func paint(class dropreason.Class, text string) string {
	var c *color.Color
	switch class {
	case dropreason.ClassLoss:
		c = color.New(color.FgRed)
	case dropreason.ClassPolicy:
		c = color.New(color.FgYellow)
	case dropreason.ClassBenign:
		c = color.New(color.Faint)
	default:
		return text
	}
	c.EnableColor()
	return c.Sprint(text)
}

// percent spells a share with one decimal. What is not nothing does not read 0, and
// what is not all does not read 100.
func percent(share float64) string {
	switch {
	case share > 0 && share < 0.0005:
		return "<0.1 %"
	case share < 1 && share >= 0.9995:
		return ">99.9 %"
	}
	return fmt.Sprintf("%.1f %%", share*100)
}

// rate spells a number per second with three digits at least.
func rate(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.3g", v)
	}
	return profile.Thousands(uint64(v + 0.5))
}
