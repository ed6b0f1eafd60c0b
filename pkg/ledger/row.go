// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// tolerance is the part of a row that may stay unexplained.
const tolerance = 0.05

// Row is a counter that moved, or one that should have.
type Row struct {
	event.Counter
	Delta       uint64 // how far it moved
	Traced      uint64 // drops that moved it
	Unseen      uint64 // losses of which no skb was freed as dropped
	Unexplained int64  // the rest; below 0 if more was traced than counted
	Within      string // the row that contains this one; empty if none does
	Gone        bool   // with its device or namespace: what it counted last is not known
}

// Off reports whether, of a row that was traced, so much is unexplained that the row is not to be trusted.
func (r *Row) Off() bool {
	return float64(max(r.Unexplained, -r.Unexplained)) > tolerance*float64(max(r.Delta, r.Traced))
}

// String names the row's counter, with where it is: "link rx_dropped on eth0 in host".
func (r *Row) String() string {
	text := strings.Join(strings.Fields(string(r.Source)+" "+r.Part+" "+r.Name), " ")
	if r.Device != "" {
		text += " on " + r.Device
	}
	if r.Netns.Inode != 0 {
		text += " in " + r.Netns.String()
	}
	return text
}

// Ledger is the result of a Book.
type Ledger struct {
	Rows      []Row  // by source, in the order of the protocols' layers
	Counted   uint64 // what the rows that no other one contains add up to
	Explained uint64 // of those: traced or unseen
	Uncounted uint64 // drops that were traced and that no counter tells of
	Unread    uint64 // drops in namespaces whose counters were not read; not in Uncounted
	Untraced  bool   // nobody traced: what no counter explains by itself is not explained
}

// Ledger returns the rows; nil if counters were read less than twice.
func (b *Book) Ledger() *Ledger {
	if b.meter.Reads() < 2 {
		return nil
	}
	l := &Ledger{Untraced: !b.traced}
	x := explainer{b, map[*event.Cell]bool{}, map[device]uint64{}}
	for _, row := range b.merge() {
		if x.explain(&row); row.Delta == 0 && row.Traced == 0 {
			continue
		}
		l.Rows = append(l.Rows, row)
		if row.Within == "" {
			l.Counted += row.Delta
			l.Explained += min(row.Delta, row.Traced+row.Unseen)
		}
	}
	read := b.namespaces()
	for cell, t := range b.cells {
		switch {
		case x.counted[cell]:
		case cell.Netns.Inode != 0 && !read[cell.Netns.Inode]:
			l.Unread += t.drops()
		default:
			l.Uncounted += t.drops()
		}
	}
	return l
}

// namespaces returns those of which something was read.
func (b *Book) namespaces() map[uint32]bool {
	read := map[uint32]bool{}
	for _, m := range b.meter.Movements() {
		read[m.Netns.Inode] = true
	}
	return read
}

// merge returns the counters that have a rule, those of single CPUs and of a device's
// qdiscs added up, in the order of rows.
func (b *Book) merge() []Row {
	rows := map[event.CounterID]*Row{}
	for _, m := range b.meter.Movements() {
		counter := m.Counter
		rule, _, ok := ruleOf(counter)
		if !ok {
			continue
		}
		switch counter.Source {
		case event.CounterSoftnet:
			counter.Part = ""
		case event.CounterQdisc:
			counter.Part = hook(counter.Part)
		}
		row := rows[counter.ID()]
		if row == nil {
			row = &Row{Counter: counter, Within: rule.within}
			rows[counter.ID()] = row
		}
		row.Delta += m.Moved
		row.Gone = row.Gone || m.Cut
	}
	sorted := make([]Row, 0, len(rows))
	for _, row := range rows {
		sorted = append(sorted, *row)
	}
	slices.SortFunc(sorted, compare)
	return sorted
}

func compare(a, b Row) int {
	_, placeA, _ := ruleOf(a.Counter)
	_, placeB, _ := ruleOf(b.Counter)
	return cmp.Or(
		cmp.Compare(slices.Index(order, a.Source), slices.Index(order, b.Source)),
		strings.Compare(a.Netns.String(), b.Netns.String()), cmp.Compare(a.Netns.Inode, b.Netns.Inode),
		strings.Compare(a.Device, b.Device),
		cmp.Compare(placeA, placeB), strings.Compare(a.Name, b.Name), strings.Compare(a.Part, b.Part))
}

// order is that of sources, from the wire up.
var order = []event.CounterSource{
	event.CounterLink, event.CounterDriver, event.CounterSoftnet, event.CounterQdisc, event.CounterNeighbour,
	event.CounterConntrack, event.CounterProtocol, event.CounterXfrm,
}

// hook returns the kind of a qdisc that holds no packets but has them pass tc's
// classifiers, "clsact" or "ingress", and nothing for any other.
func hook(part string) string {
	kind, _, _ := strings.Cut(part, " ")
	if kind == "clsact" || kind == "ingress" {
		return kind
	}
	return ""
}
