// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"maps"
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
func (r *Row) String() string { return spellCounter(&r.Counter) }

func spellCounter(c *event.Counter) string {
	text := strings.Join(strings.Fields(string(c.Source)+" "+c.Part+" "+c.Name), " ")
	if c.Device != "" {
		text += " on " + c.Device
	}
	if c.Netns.Inode != 0 {
		text += " in " + c.Netns.String()
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
			if (e.counter.Source == event.CounterQdisc) == qdiscs {
				x.trace(e)
			}
		}
	}
	entries = slices.DeleteFunc(entries, func(e *entry) bool {
		return e.traced == 0 && (e.delta == 0 || e.rule.kind == echo)
	})
	l.Rows = slices.Grow(l.Rows, len(entries))
	for i, e := range entries {
		e.number = i
		row, left := x.settle(e, entries[0])
		l.Rows = append(l.Rows, row)
		l.Counted += row.Packets
		l.Explained += row.Packets - left.unexplained
		l.Benign += left.benign
		if lost, ok := row.asLost(left.lost); ok {
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
	read, _ := b.apart(maps.Keys(b.cells))
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

// merge returns the counters that have a rule and may make a row, those that a row adds up
// as one, in the order of rows.
func (b *Book) merge() []*entry {
	merged := map[event.CounterID]*entry{} // of several counters
	sums := b.sums()
	var all []*entry
	for m := range b.meter.Each() {
		counter := &m.Counter
		rule := ruleOf(counter)
		if rule == nil {
			continue
		}
		whole, several := wholeOf(counter)
		if m.Moved == 0 && rule.kind != oneToOne && !several {
			continue
		}
		var e *entry
		if several {
			e = merged[whole.ID()]
		}
		if e == nil {
			e = &entry{counter: counter, within: rule.within, rule: rule}
			all = append(all, e)
		}
		if several && merged[whole.ID()] == nil {
			of := whole
			e.counter, merged[whole.ID()] = &of, e
		}
		e.delta += m.Moved
		e.gone = e.gone || m.Cut
	}
	for _, e := range all {
		if sum := sumOf(e.counter); sum.Name != "" && sums[sum.ID()] {
			e.within = sum.Name
		}
	}
	slices.SortFunc(all, compare)
	return all
}

// sums returns the drivers' counters of which others that moved are parts.
func (b *Book) sums() map[event.CounterID]bool {
	sums := map[event.CounterID]bool{} // whether there is one
	for m := range b.meter.Each() {
		if m.Moved > 0 && m.Source == event.CounterDriver && dropsUnseen(m.Name) {
			if sum := sumOf(&m.Counter); dropsUnseen(sum.Name) {
				sums[sum.ID()] = false
			}
		}
	}
	if len(sums) == 0 {
		return nil
	}
	for m := range b.meter.Each() {
		if _, ok := sums[m.ID()]; ok {
			sums[m.ID()] = true
		}
	}
	return sums
}

// wholeOf returns the counter that a row is of, and whether it is another that may add up
// several: those of all CPUs, of a device's qdiscs that are no hook. What is read of the
// machine or of a namespace has no device, whatever a file says.
func wholeOf(c *event.Counter) (whole event.Counter, several bool) {
	switch whole = *c; c.Source {
	case event.CounterSoftnet:
		return event.Counter{Source: c.Source, Name: c.Name}, true
	case event.CounterQdisc:
		whole.Part = hook(c.Part)
		return whole, true
	case event.CounterNeighbour:
		whole = event.Counter{Source: c.Source, Name: c.Name, Part: arpCache}
		if c.Part == ndiscCache {
			whole.Part = ndiscCache
		}
	case event.CounterLink, event.CounterDriver:
		whole.Part = ""
	default:
		whole = event.Counter{Source: c.Source, Name: c.Name, Netns: c.Netns}
	}
	return whole, whole != *c
}

// compare puts entries in the order of rows. It is called a million times for a node with
// many namespaces, most of which differ early.
func compare(a, b *entry) int {
	c, d := a.counter, b.counter
	if order := cmp.Compare(slices.Index(order, c.Source), slices.Index(order, d.Source)); order != 0 {
		return order
	}
	if c.Netns != d.Netns {
		if order := cmp.Or(strings.Compare(c.Netns.String(), d.Netns.String()), cmp.Compare(c.Netns.Inode, d.Netns.Inode)); order != 0 {
			return order
		}
	}
	if order := cmp.Or(strings.Compare(c.Device, d.Device), cmp.Compare(c.Index, d.Index)); order != 0 {
		return order
	}
	if c.Source == event.CounterDriver { // a sum, then its parts
		if order := cmp.Or(strings.Compare(a.sum(), b.sum()), -trueFirst(a.within != "", b.within != "")); order != 0 {
			return order
		}
	}
	return cmp.Or(cmp.Compare(a.rule.number, b.rule.number), strings.Compare(c.Name, d.Name), strings.Compare(c.Part, d.Part))
}

// sum names the counter in which a driver adds up what the entry's counts, or that itself.
func (e *entry) sum() string {
	if e.within != "" {
		return e.within
	}
	return e.counter.Name
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
