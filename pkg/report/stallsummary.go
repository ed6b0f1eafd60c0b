// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/spell"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// Stalls adds up stalls by CPU, verdict and culprit.
type Stalls struct {
	rows map[stallKey]*stallRow
}

type stallKey struct {
	cpu           int
	verdict       stall.Verdict
	culprit, what string
}

type stallRow struct {
	stallKey
	count, late    uint64
	total, longest time.Duration
}

// NewStalls returns an empty sum.
func NewStalls() *Stalls { return &Stalls{rows: map[stallKey]*stallRow{}} }

// Add adds a stall.
func (a *Stalls) Add(s *stall.Stall) {
	key := stallKey{cpu: s.CPU, verdict: s.Verdict, culprit: "-", what: "-"}
	if c := s.Culprit; c != nil {
		key.culprit, key.what = c.Name(), c.Doing()
	}
	row := a.rows[key]
	if row == nil {
		row = &stallRow{stallKey: key}
		a.rows[key] = row
	}
	row.count++
	row.late += s.LateCount
	row.total += s.Duration()
	row.longest = max(row.longest, s.Duration())
}

// Write writes a table, the longest total first, or one line if there is nothing. It
// adds up what is past a limit; 0: there is none.
func (a *Stalls) Write(w io.Writer, threshold time.Duration, limit int) error {
	if len(a.rows) == 0 {
		_, err := fmt.Fprintf(w, "no packets waited for %s or longer\n", spanText(threshold))
		return err
	}
	t := newTable([]string{"stalls", "total", "longest", "packets", "cpu", "verdict", "culprit", "in"}, 0, 5)
	rows := a.sorted()
	var rest stallRow
	if limit > 0 && len(rows) > limit {
		for _, r := range rows[limit:] {
			rest.count += r.count
			rest.total += r.total
		}
		rows = rows[:limit]
	}
	for _, r := range rows {
		t.row([]string{
			spell.Thousands(r.count), spanText(r.total), spanText(r.longest), spell.Thousands(r.late),
			fmt.Sprint(r.cpu), string(r.verdict), r.culprit, r.what,
		})
	}
	if err := t.write(w); err != nil || rest.count == 0 {
		return err
	}
	_, err := fmt.Fprintf(w, "and %s, %s together; dropwatch report --of stalls shows them\n", spell.Plural(rest.count, "stall"), spanText(rest.total))
	return err
}

// sorted returns the rows, the longest total first.
func (a *Stalls) sorted() []*stallRow {
	return slices.SortedFunc(maps.Values(a.rows), func(x, y *stallRow) int {
		return cmp.Or(cmp.Compare(y.total, x.total), cmp.Compare(x.cpu, y.cpu),
			strings.Compare(string(x.verdict), string(y.verdict)), strings.Compare(x.culprit, y.culprit), strings.Compare(x.what, y.what))
	})
}

// WriteSoftirqTimes writes how long NET_RX waited and ran on each CPU where it did.
func WriteSoftirqTimes(w io.Writer, all []event.SoftirqTimes) error {
	t := newTable([]string{"cpu", "net_rx", "wait p50", "p99", "most", "from 1 us to 268 ms", "run p50", "p99", "most", "from 1 us to 268 ms", "budget ended"}, 0, 5)
	used := false
	for _, times := range all {
		if sum(times.Runs) == 0 {
			continue
		}
		used = true
		t.row([]string{
			fmt.Sprint(times.CPU), spell.Thousands(sum(times.Runs)),
			quantile(times.Waits, 0.5), quantile(times.Waits, 0.99), quantile(times.Waits, 1), bars(times.Waits),
			quantile(times.Runs, 0.5), quantile(times.Runs, 0.99), quantile(times.Runs, 1), bars(times.Runs),
			spell.Thousands(times.BudgetEnded),
		})
	}
	if !used {
		return nil
	}
	return t.write(w)
}

func sum(buckets [32]uint64) (n uint64) {
	for _, b := range buckets {
		n += b
	}
	return n
}

// quantile returns the upper end of the bucket that holds it, as a bound.
func quantile(buckets [32]uint64, q float64) string {
	all := sum(buckets)
	if all == 0 {
		return "-"
	}
	var n uint64
	for i, b := range buckets {
		if n += b; b > 0 && float64(n) >= q*float64(all) {
			return "<" + spanText(2<<i)
		}
	}
	return "-"
}

// bars draws a histogram from 1 µs, in which everything below is counted, to 268 ms,
// a block for each doubling.
func bars(buckets [32]uint64) string {
	const first, last = 10, 27
	var shown [last - first + 1]uint64
	for i, b := range buckets {
		shown[min(max(i, first), last)-first] += b
	}
	most := slices.Max(shown[:])
	var text strings.Builder
	for _, b := range shown {
		switch {
		case b == 0:
			text.WriteRune('·')
		default:
			text.WriteRune([]rune("▁▂▃▄▅▆▇█")[min(7, b*8/(most+1))])
		}
	}
	return text.String()
}

// IsStallRecord reports whether an event is one of the records that event.StallLoss counts.
func IsStallRecord(e event.Event) bool {
	switch e.(type) {
	case *event.Window, *event.CPUSample, *event.LatePacket, *event.Echo:
		return true
	}
	return false
}

// StallAccounting says in one line what the kernel told about stalls and what was lost
// of it. told is how many records there were.
func StallAccounting(l *event.StallLoss, told uint64) string {
	text := fmt.Sprintf("%s sent by the kernel, %s read", spell.Plural(l.Submitted, "record"), spell.Thousands(l.Read))
	decoded := l.Read - min(l.Malformed, l.Read)
	var lost []string
	for _, part := range []struct {
		n          uint64
		what, fate string
	}{
		{l.RingFull, "record", "to a full ring buffer"},
		{l.StackFailed, "stack", "not unwound"},
		{l.Malformed, "record", "malformed"},
		{decoded - min(told, decoded), "record", "missing from the recording"},
	} {
		if part.n > 0 {
			lost = append(lost, spell.Plural(part.n, part.what)+" "+part.fate)
		}
	}
	if l.Paused > 0 {
		lost = append(lost, spanText(l.Paused)+" in which the machine was too busy to watch")
	}
	if len(lost) == 0 {
		return text + "; nothing lost"
	}
	return text + "; lost: " + strings.Join(lost, ", ")
}
