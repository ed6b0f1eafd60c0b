// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fatih/color"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/finding"
	"github.com/dropwatch/dropwatch/pkg/ledger"
	"github.com/dropwatch/dropwatch/pkg/privilege"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// Doctor is what a node loses, why, and what of that dropwatch can see.
type Doctor struct {
	Host, Kernel string
	Start        time.Time
	Duration     time.Duration
	Findings     []finding.Finding
	Ledger       *ledger.Ledger // nil if counters were not read twice
	Hooks        []event.AttachResult
	Facts        []privilege.Fact
	Blind        []string // what stays invisible on this node
	Notes        []string // what could not be looked at, and why
}

// WriteDoctorText writes the findings, the ledger, and what dropwatch can do here, in
// lines of so many characters but for commands and tables.
func WriteDoctorText(w io.Writer, d *Doctor, width int, inColor bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s, Linux %s: watched for %s\n", d.Start.Format(time.DateTime), d.Host, d.Kernel, d.Duration.Round(time.Millisecond))
	if len(d.Findings) == 0 {
		b.WriteString("\nnothing to change was found\n")
	}
	for i := range d.Findings {
		b.WriteByte('\n')
		findingText(&b, &d.Findings[i], width, inColor)
	}
	if d.Ledger != nil {
		b.WriteString("\nLOST PACKETS, as counted by the node and as traced\n")
		if err := ledgerText(&b, d.Ledger, inColor, maxRows, "dropwatch doctor -f json"); err != nil {
			return err
		}
	}
	b.WriteString("\nWHAT DROPWATCH CAN DO HERE\n")
	if err := hooksText(&b, d.Hooks, inColor); err != nil {
		return err
	}
	for _, f := range d.Facts {
		if f.Limit != "" {
			remark(&b, f.Name, f.Value+"; "+f.Limit, width)
		}
	}
	for _, list := range []struct {
		heading string
		lines   []string
	}{{"invisible", d.Blind}, {"not looked at", d.Notes}} {
		for _, line := range list.lines {
			remark(&b, list.heading, line, width)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// remark writes a line behind a heading.
func remark(b *strings.Builder, heading, text string, width int) {
	for i, line := range wrap(heading+": "+text, width-2) {
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(line + "\n")
	}
}

// findingText writes a finding: how bad, what and where, then what to do about it.
func findingText(b *strings.Builder, f *finding.Finding, width int, inColor bool) {
	severity := strings.ToUpper(string(f.Severity))
	if inColor {
		severity = paintSeverity(f.Severity, severity)
	}
	where := "this node"
	if f.Device != "" {
		where = f.Device
	}
	if f.Netns.Inode != 0 && f.Netns.Name != "host" {
		where += " in namespace " + f.Netns.String()
	}
	fmt.Fprintf(b, "%s  %s, %s\n", severity, f.ID, where)
	for _, line := range wrap(f.Explain, width-2) {
		fmt.Fprintf(b, "  %s\n", line)
	}
	var facts []string
	for _, fact := range f.Evidence {
		facts = append(facts, fact.Name+" "+factText(fact.Value))
	}
	entry(b, "evidence", wrap(strings.Join(facts, "; "), width-12)...)
	entry(b, "fix", f.Fix...)
	entry(b, "keep", f.Persist...)
	entry(b, "undo", f.Undo...)
	entry(b, "costs", wrap(f.Cost, width-12)...)
}

func entry(b *strings.Builder, name string, lines ...string) {
	for _, line := range lines {
		if line != "" {
			fmt.Fprintf(b, "  %-8s  %s\n", name, line)
		}
		name = ""
	}
}

func factText(value any) string {
	switch v := value.(type) {
	case uint64:
		return spell.Thousands(v)
	case float64:
		return rate(v)
	}
	return fmt.Sprint(value)
}

func paintSeverity(s finding.Severity, text string) string {
	switch s {
	case finding.Critical:
		return tint(color.FgRed, text)
	case finding.Warning:
		return tint(color.FgYellow, text)
	}
	return tint(color.Faint, text)
}

// ways are the ways to attach to a hook: those that work, the best first, and those that
// do not, each in a line with the reason.
type ways struct{ by, notBy string }

// hooksText writes a line for each hook. Hooks with equal results share a line.
func hooksText(w io.Writer, results []event.AttachResult, inColor bool) error {
	if len(results) == 0 {
		return nil
	}
	hooks := map[ways][]string{}
	var order []ways
	for i := 0; i < len(results); {
		end := i + 1
		for end < len(results) && results[end].Name == results[i].Name {
			end++
		}
		of := waysOf(results[i:end])
		if hooks[of] == nil {
			order = append(order, of)
		}
		hooks[of] = append(hooks[of], results[i].Name)
		i = end
	}
	t := newTable([]string{"hook", "works"}, 0, 0)
	for _, of := range order {
		names := strings.Join(hooks[of], ", ")
		if more := len(hooks[of]) - 1; more > 2 {
			names = fmt.Sprintf("%s and %d more", hooks[of][0], more)
		}
		by := "by " + of.by
		if of.by == "" {
			if by = "by nothing"; inColor {
				by = tint(color.FgYellow, by)
			}
		}
		t.row([]string{names, by})
		for line := range strings.Lines(of.notBy) {
			t.row([]string{"", strings.TrimSuffix(line, "\n")})
		}
	}
	return t.write(w)
}

func waysOf(results []event.AttachResult) ways {
	var works, fails []string
	for _, t := range results {
		if t.Why == "" {
			works = append(works, t.Rung)
		} else {
			fails = append(fails, "not by "+t.Rung+": "+t.Why)
		}
	}
	return ways{strings.Join(works, ", "), strings.Join(fails, "\n")}
}
