// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// explainer explains the rows of a Book, one after the other in their order.
type explainer struct {
	*Book
	counted map[*event.Cell]bool // that are in some row
	nobody  map[device]uint64    // drops in rx_nohandler, which are not in rx_dropped too
}

// explain divides what a counter moved by. One that did not is of interest only if each
// drop had to move it.
func (x *explainer) explain(row *Row) {
	rule, _, _ := ruleOf(row.Counter)
	if row.Delta == 0 && rule.kind != oneToOne {
		return
	}
	if rule.kind != unseen {
		row.Traced = x.drops(row, rule)
	}
	switch rest := row.Delta - min(row.Delta, row.Traced); rule.kind {
	case unseen, partly:
		row.Unseen = rest
	case byDrops:
		if row.Source == event.CounterLink {
			row.Unseen = min(rest, x.byDriver(row.Counter))
		}
	}
	row.Unexplained = int64(row.Delta) - int64(row.Traced) - int64(row.Unseen)
}

// drops returns how many drops moved the row's counter.
func (x *explainer) drops(row *Row, rule rule) (n uint64) {
	for cell, t := range x.cells {
		if t.drops() == 0 || !x.moves(cell, row.Counter, rule) {
			continue
		}
		n += t.drops()
		if row.Delta > 0 || rule.kind == oneToOne {
			x.counted[cell] = true
		}
	}
	if rule.kind == oneToOne && !row.Gone {
		return n
	}
	at := device{row.Netns.Inode, row.Device}
	switch {
	case row.Source == event.CounterLink && row.Name == "rx_nohandler":
		x.nobody[at] = min(n, row.Delta)
	case row.Source == event.CounterLink && row.Name == "rx_dropped":
		n -= min(n, x.nobody[at])
	}
	return min(n, row.Delta)
}

// byDriver returns how many of an interface's drops the driver's own counters tell of:
// it dropped them before there was an skb, or freed what it had not handed on.
func (x *explainer) byDriver(c event.Counter) (most uint64) {
	direction, _, _ := strings.Cut(c.Name, "_")
	for _, m := range x.meter.Movements() {
		if m.Source == event.CounterDriver && m.ID().Device == c.ID().Device &&
			strings.Contains(m.Name, direction) && !dropsUnseen(m.Name) {
			most = max(most, m.Moved)
		}
	}
	return most
}
