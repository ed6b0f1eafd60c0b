// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fatih/color"

	"github.com/dropwatch/dropwatch/pkg/ledger"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// ledgerText writes the rows of a ledger as a table, without those that count no lost
// packet, and what they add up to. Of rows that are not to be trusted it says how much is
// unexplained, in color in red. Unless all are asked for, by a limit of 0, it shows no
// more than the largest, the limit or maxRows of them; all is the command that does.
func ledgerText(w io.Writer, l *ledger.Ledger, inColor bool, limit int, all string) error {
	rows := slices.DeleteFunc(slices.Clone(l.Rows), func(r ledger.Row) bool { return r.Benign > 0 && r.Benign == r.Delta && r.Unexplained == 0 })
	shown := rows
	if most := max(limit, maxRows); limit > 0 && len(rows) > most {
		shown = largest(rows, most)
	}
	if len(shown) > 0 {
		if err := ledgerTable(w, shown, l.Untraced, inColor); err != nil {
			return err
		}
	}
	if left := len(rows) - len(shown); left > 0 {
		fmt.Fprintf(w, "and %s; %s shows all\n", spell.Plural(uint64(left), "more counter"), all)
	}
	if l.Untraced {
		_, err := fmt.Fprintf(w, "%s counted; drops were not traced\n", spell.Thousands(l.Counted))
		return err
	}
	explained := "explained"
	if !slices.ContainsFunc(rows, func(r ledger.Row) bool { return r.Traced > 0 }) {
		explained = "accounted for"
	}
	fmt.Fprintf(w, "%s of %s counted losses %s", spell.Thousands(l.Explained), spell.Thousands(l.Counted), explained)
	if l.Benign > 0 {
		fmt.Fprintf(w, "; %s counted", spell.Plural(l.Benign, "benign packet"))
	}
	if l.Uncounted > 0 {
		fmt.Fprintf(w, "; %s that no counter counts", spell.Plural(l.Uncounted, "drop"))
	}
	if l.Unread > 0 {
		fmt.Fprintf(w, "; %s in namespaces whose counters cannot be read", spell.Plural(l.Unread, "drop"))
	}
	fmt.Fprintln(w)
	if slices.ContainsFunc(rows, func(r ledger.Row) bool { return r.Off() }) {
		fmt.Fprintln(w, "rows with a percentage are not to be trusted: more than 5 % is unexplained, or traced and not counted (below 0)")
	}
	if slices.ContainsFunc(rows, func(r ledger.Row) bool { return r.Mirrors != "" }) {
		fmt.Fprintln(w, "= counts the packets of a row above once more")
	}
	return nil
}

// maxRows is how many rows are shown at least: as many as a node with some devices and
// namespaces has.
const maxRows = 60

// largest returns at most that many rows, those that moved most, in their order.
func largest(rows []ledger.Row, n int) (kept []ledger.Row) {
	places := make([]int, len(rows))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int {
		return cmp.Compare(max(rows[b].Delta, rows[b].Traced), max(rows[a].Delta, rows[a].Traced))
	})
	slices.Sort(places[:n])
	for _, i := range places[:n] {
		kept = append(kept, rows[i])
	}
	return kept
}

func ledgerTable(w io.Writer, rows []ledger.Row, untraced, inColor bool) error {
	t := newTable([]string{"counted", "traced", "counter only", "unexplained", "counter", "device", "netns"}, 0, 4)
	for i := range rows {
		r := &rows[i]
		traced, unexplained := spell.Thousands(r.Traced), signed(r.Unexplained)
		if untraced {
			traced, unexplained = "-", "-"
		} else if r.Off() {
			part := float64(r.Missed()) / float64(max(r.Delta, r.Traced))
			if unexplained += " (" + percent(part) + ")"; inColor {
				unexplained = tint(color.FgRed, unexplained)
			}
		}
		t.row([]string{
			spell.Thousands(r.Delta), traced, spell.Thousands(r.Unseen), unexplained,
			counterName(r), dash(r.Device), r.Netns.String(),
		})
	}
	return t.write(w)
}

// counterName spells a row's counter with where it is read, one that is part of another
// below it, and one that counts the packets of another with a mark.
func counterName(r *ledger.Row) string {
	name := string(r.Source) + " " + strings.TrimSpace(r.Part+" "+r.Name)
	switch {
	case r.Within != "":
		return "  " + name
	case r.Mirrors != "":
		return "= " + name
	}
	return name
}

func signed(n int64) string {
	if n < 0 {
		return "-" + spell.Thousands(uint64(-n))
	}
	return spell.Thousands(uint64(n))
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// The names of these fields are promised in docs/json.md.
type rowJSON struct {
	Counter     string  `json:"counter"`
	Device      string  `json:"device"`
	Delta       uint64  `json:"delta"`
	Traced      *uint64 `json:"traced"`
	Unseen      uint64  `json:"unseen"`
	Unexplained *int64  `json:"unexplained"`
	Trusted     bool    `json:"trusted"`
	Source      string  `json:"source"`
	Part        string  `json:"part,omitempty"`
	Netns       string  `json:"netns"`
	Within      string  `json:"within,omitempty"`
	Packets     uint64  `json:"packets"`
	Benign      uint64  `json:"benign"`
	Mirrors     string  `json:"mirrors,omitempty"`
}

func ledgerJSON(l *ledger.Ledger) []rowJSON {
	rows := []rowJSON{}
	if l == nil {
		return rows
	}
	for i := range l.Rows {
		r := &l.Rows[i]
		row := rowJSON{
			Counter: r.Name, Device: r.Device, Delta: r.Delta, Unseen: r.Unseen, Trusted: !l.Untraced && !r.Off(),
			Source: string(r.Source), Part: r.Part, Netns: r.Netns.String(), Within: r.Within,
			Packets: r.Packets, Benign: r.Benign, Mirrors: r.Mirrors,
		}
		if !l.Untraced {
			row.Traced, row.Unexplained = &r.Traced, &r.Unexplained
		}
		rows = append(rows, row)
	}
	return rows
}

func newExplainedJSON(l *ledger.Ledger) *explainedJSON {
	if l == nil {
		return nil
	}
	return &explainedJSON{l.Counted, l.Explained, l.Benign, l.Uncounted, l.Unread}
}

type explainedJSON struct {
	Counted   uint64 `json:"counted"`
	Explained uint64 `json:"explained"`
	Benign    uint64 `json:"benign"`
	Uncounted uint64 `json:"uncounted"`
	Unread    uint64 `json:"unread"`
}
