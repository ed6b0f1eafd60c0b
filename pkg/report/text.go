// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dropwatch/dropwatch/pkg/profile"
)

// WriteText writes a Report as a table with a line that accounts for every drop.
func WriteText(w io.Writer, r *Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s, Linux %s: %s drops in %s (%s/s)\n",
		r.Meta.Start.Format(time.DateTime), r.Meta.Host, r.Meta.Kernel,
		profile.Thousands(r.Drops), r.Duration.Round(time.Millisecond), rate(r.perSecond()))
	for _, note := range r.Meta.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	if len(r.Groups) > 0 {
		b.WriteByte('\n')
		if err := r.table(&b); err != nil {
			return err
		}
		if left := r.Count - len(r.Groups); left > 0 {
			fmt.Fprintf(&b, "and %s drops in %d more; --limit 0 shows all\n", profile.Thousands(r.More.Drops), left)
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

func (r *Report) table(w io.Writer) error {
	t := newTable(append([]string{"drops", "share", "drops/s"}, r.By...), 3)
	for _, g := range r.Groups {
		mark := ""
		if !g.Exact {
			mark = "≈"
		}
		t.row(append([]string{mark + profile.Thousands(g.Drops), percent(g.Share), rate(g.Rate)}, g.Key...))
	}
	return t.write(w)
}

// percent spells a share with one decimal, and what rounds to nothing as less.
func percent(share float64) string {
	if share > 0 && share < 0.0005 {
		return "<0.1 %"
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
