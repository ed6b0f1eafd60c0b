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
	Benign      uint64 // of Traced, those of dropreason.ClassBenign
	Packets     uint64 // of Delta, those that were lost and that no row before this one counts
	Within      string // the counter of the same source and place that contains this one; empty if none does
	Mirrors     string // the row, as String spells it, that counts the same packets; empty if it is the first that counts some, or if Within says it
	Gone        bool   // it was not read all the time: drops may be traced that it counted then
}

// Off reports whether, of a row that was traced, so much is unexplained that the row is not to be trusted.
func (r *Row) Off() bool {
	return float64(r.Missed()) > tolerance*float64(max(r.Delta, r.Traced))
}

// Missed returns by how much the counter and what was traced differ.
func (r *Row) Missed() int64 { return max(r.Unexplained, -r.Unexplained) }

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
	Counted   uint64 // lost packets that the rows count, each once: the sum of their Packets
	Explained uint64 // of those: traced or unseen
	Benign    uint64 // benign packets that rows count, each once; not in Counted
	Uncounted uint64 // drops that were traced and that no counter counts
	Unread    uint64 // drops in namespaces whose counters were not read; not in Uncounted
	Untraced  bool   // nobody traced: what no counter explains by itself is not explained
	lost      []Lost
}

// Ledger returns the rows; nil if counters were read less than twice.
func (b *Book) Ledger() *Ledger {
	if b.meter.Reads() < 2 {
		return nil
	}
	l := &Ledger{Untraced: !b.traced}
	x := newExplainer(b)
	entries := b.merge()
	// A drop at a qdisc is the device's if it is not the qdisc's.
	for _, qdiscs := range []bool{true, false} {
		for _, e := range entries {
			if (e.Source == event.CounterQdisc) == qdiscs {
				x.trace(e)
			}
		}
	}
	entries = slices.DeleteFunc(entries, func(e *entry) bool {
		return e.Traced == 0 && (e.Delta == 0 || e.kind == echo)
	})
	for i, e := range entries {
		x.settle(e, i, entries[0])
		l.Rows = append(l.Rows, e.Row)
		l.Counted += e.Packets
		l.Explained += e.Packets - e.unexplained
		l.Benign += e.benign
		if lost, ok := e.asLost(); ok {
			l.lost = append(l.lost, lost)
		}
	}
	b.uncounted(l, x)
	return l
}

// uncounted adds up the drops that are in no row.
func (b *Book) uncounted(l *Ledger, x *explainer) {
	counted := map[*event.Cell]uint64{}
	for p, n := range x.counted {
		counted[p.cell] = n
	}
	read := map[uint32]bool{}
	for _, m := range b.meter.Movements() {
		read[m.Netns.Inode] = true
	}
	for cell, t := range b.cells {
		if x.certain[cell] {
			continue // each moved a counter; if that has missed some, its row says so
		}
		all := b.counted(t).most
		rest := all - min(all, counted[cell])
		if cell.Netns.Inode != 0 && !read[cell.Netns.Inode] {
			l.Unread += rest
		} else {
			l.Uncounted += rest
		}
	}
}

// merge returns the counters that have a rule, those of single CPUs and of a device's
// qdiscs added up, in the order of rows.
func (b *Book) merge() []*entry {
	entries := map[event.CounterID]*entry{}
	var all []*entry
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
		e := entries[counter.ID()]
		if e == nil {
			e = &entry{Row: Row{Counter: counter, Within: rule.within}, rule: rule}
			entries[counter.ID()] = e
			all = append(all, e)
		}
		e.Delta += m.Moved
		e.Gone = e.Gone || m.Cut
	}
	for _, e := range all {
		if sum := sumOf(e.Counter); sum.Name != "" && entries[sum.ID()] != nil {
			e.Within = sum.Name
		}
	}
	slices.SortFunc(all, func(a, b *entry) int { return compare(a.Row, b.Row) })
	return all
}

func compare(a, b Row) int {
	_, placeA, _ := ruleOf(a.Counter)
	_, placeB, _ := ruleOf(b.Counter)
	return cmp.Or(
		cmp.Compare(slices.Index(order, a.Source), slices.Index(order, b.Source)),
		strings.Compare(a.Netns.String(), b.Netns.String()), cmp.Compare(a.Netns.Inode, b.Netns.Inode),
		strings.Compare(a.Device, b.Device), cmp.Compare(a.Index, b.Index),
		strings.Compare(sum(a), sum(b)),
		cmp.Compare(placeA, placeB), strings.Compare(a.Name, b.Name), strings.Compare(a.Part, b.Part))
}

// sum is what a driver's rows are ordered by: a sum, then its parts.
func sum(r Row) string {
	switch {
	case r.Source != event.CounterDriver:
		return ""
	case r.Within == "":
		return r.Name
	}
	return r.Within + " " + r.Name
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
