// SPDX-License-Identifier: Apache-2.0

// Package profile adds up drops by what an engineer asks for: any mix of reason,
// device, flow, stack. It joins the exact counts of cells with the samples that
// tell what cells cannot, and says where the result is an estimate.
package profile

import (
	"errors"
	"io"
	"time"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/ledger"
)

// Value is what a group adds up to.
type Value struct {
	Drops   uint64
	Bytes   uint64 // skb->len
	Samples uint64 // samples that tell of the group
	Exact   bool   // neither Drops nor Bytes nor Segments is an estimate

	Segments uint64 // that the packets held; 0: not known
}

// Sums holds the groups of a source, by key.
type Sums[K comparable] struct {
	Keys     []K // in the order in which they turned up
	Of       map[K]*Value
	Total    Value          // all drops; Exact if all groups are
	Benign   uint64         // of Total.Drops, those that nobody misses
	Parts    Value          // of packets, which are no drops: in no group, not in Total
	Unseen   Value          // packets that only counters tell of, in groups of their own
	Ledger   *ledger.Ledger // nil if counters were not read
	Sampled  event.Totals
	Loss     event.Loss
	Missing  uint64 // samples that were read and are not in the source
	Duration time.Duration
	Cut      *event.CutError // nil unless the recording was cut short
}

// pool is a cell's exact count and the weights of its samples by group.
type pool[K comparable] struct {
	cell     *event.Cell
	number   int // in Aggregator.order
	drops    uint64
	bytes    uint64
	segments uint64
	weights  []weight[K]
	place    map[slot[K]]int // nil if keys are made of cells
}

// slot is where a sample adds to.
type slot[K comparable] struct {
	key  K
	part bool // of a packet
}

type weight[K comparable] struct {
	slot[K]
	samples       uint64
	drops, octets uint64
	segments      uint64
}

// Aggregator adds up events as they come. A group's key is made of a cell and a
// sample of it; the sample is nil for drops of which only the count is known.
type Aggregator[K comparable] struct {
	key      func(*event.Cell, *event.Drop) K
	byCell   bool
	pools    map[*event.Cell]*pool[K]
	order    []*pool[K]
	settled  settled[K] // of cells that are gone
	overflow *event.Cell
	book     *ledger.Book
	sums     Sums[K]
	ended    bool
	read     uint64 // samples
	bare     uint64 // of them, without a stack
}

// NewAggregator returns an Aggregator. byCell says that key looks at the cell
// alone, which makes groups exact.
func NewAggregator[K comparable](byCell bool, key func(*event.Cell, *event.Drop) K) *Aggregator[K] {
	return &Aggregator[K]{key: key, byCell: byCell, pools: map[*event.Cell]*pool[K]{}, settled: settled[K]{of: map[slot[K]]*Value{}}, book: ledger.NewBook()}
}

// Aggregate reads all of a source. A recording that was cut short is no error:
// Sums.Cut tells. With any other error the sums of what came before it are
// returned too.
func Aggregate[K comparable](src event.Source, byCell bool, key func(*event.Cell, *event.Drop) K) (*Sums[K], error) {
	a := NewAggregator(byCell, key)
	err := Each(src, func(e event.Event) error { a.Add(e); return nil })
	sums := a.Sums()
	if cut, ok := event.AsCut(err); ok {
		sums.Cut, err = cut, nil
	}
	return sums, err
}

// Each calls do for every event of a source, until either returns an error.
func Each(src event.Source, do func(event.Event) error) error {
	for {
		e, err := src.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(e); err != nil {
			return err
		}
	}
}

// Add adds an event.
func (a *Aggregator[K]) Add(e event.Event) {
	a.book.Add(e)
	switch e := e.(type) {
	case *event.Drop:
		if a.read++; e.Stack == nil {
			a.bare++
		}
		a.sample(e)
		a.sums.Duration = max(a.sums.Duration, e.Time)
	case *event.Tick:
		for _, c := range e.Counts {
			p := a.pool(c.Cell)
			p.drops += c.Drops
			p.bytes += c.Bytes
			p.segments += c.Segments
		}
		for _, cell := range e.Gone {
			a.settle(cell)
		}
		a.until(e.Time, e.Totals, e.Loss)
	case *event.End:
		a.ended = true
		a.until(e.Time, e.Totals, e.Loss)
	}
}

func (a *Aggregator[K]) until(at time.Duration, totals event.Totals, loss event.Loss) {
	a.sums.Duration = max(a.sums.Duration, at)
	a.sums.Sampled, a.sums.Loss = totals, loss
	decoded := totals.Read - min(loss.Malformed, totals.Read)
	a.sums.Missing = decoded - min(a.read, decoded)
}

func (a *Aggregator[K]) pool(cell *event.Cell) *pool[K] {
	if cell.Overflow {
		if a.overflow == nil {
			a.overflow = cell
		}
		cell = a.overflow
	}
	p := a.pools[cell]
	if p == nil {
		p = &pool[K]{cell: cell, number: len(a.order)}
		a.pools[cell] = p
		a.order = append(a.order, p)
	}
	return p
}

func (a *Aggregator[K]) sample(d *event.Drop) {
	of := d.Cell
	if d.Overflow && !of.Overflow {
		if a.overflow == nil {
			a.overflow = &event.Cell{Location: &event.Frame{}, Overflow: true}
		}
		of = a.overflow
	}
	p := a.pool(of)
	w := p.weight(a, d)
	w.samples++
	w.drops += d.Drops
	w.octets += d.Drops * uint64(d.Len)
	w.segments += d.Drops * uint64(d.Segments)
}

// weight returns where a sample adds to. The samples of a cell have one key if keys
// are made of cells, and then it is made by Sums: a recorder may have thousands of cells.
func (p *pool[K]) weight(a *Aggregator[K], d *event.Drop) *weight[K] {
	if a.byCell && !p.cell.Overflow {
		if len(p.weights) == 0 {
			p.weights = make([]weight[K], 1)
		}
		return &p.weights[0]
	}
	if p.place == nil {
		p.place = map[slot[K]]int{}
	}
	to := slot[K]{a.key(d.Cell, d), IsPart(d.Cell)}
	at, ok := p.place[to]
	if !ok {
		at = len(p.weights)
		p.place[to] = at
		p.weights = append(p.weights, weight[K]{slot: to})
	}
	return &p.weights[at]
}

// Sums returns what was added up so far: each group's part of every pool.
func (a *Aggregator[K]) Sums() *Sums[K] {
	a.sums.Keys, a.sums.Of = nil, map[K]*Value{}
	a.sums.Total, a.sums.Parts, a.sums.Unseen = Value{Exact: true}, Value{Exact: true}, Value{Exact: true}
	for _, s := range a.settled.order {
		a.addTo(s, *a.settled.of[s])
	}
	a.sums.Benign = a.settled.benign
	for _, p := range a.order {
		before := a.sums.Total.Drops
		a.divide(p, a.ended, a.addTo)
		if isBenign(p.cell) {
			a.sums.Benign += a.sums.Total.Drops - before
		}
	}
	if !a.ended { // neither do its totals count them
		a.sums.Sampled.Sampled = max(a.sums.Sampled.Sampled, a.read)
		a.sums.Sampled.Read = max(a.sums.Sampled.Read, a.read)
		a.sums.Loss.StackFailed = max(a.sums.Loss.StackFailed, a.bare-min(a.bare, a.sums.Loss.StackTable))
	}
	a.sums.Ledger = a.book.Ledger()
	for _, lost := range a.sums.Ledger.Lost() {
		a.add(a.key(lost.Cell, nil), Value{Drops: lost.Packets, Exact: true}, &a.sums.Unseen)
	}
	return &a.sums
}

// isBenign reports whether the drops of a cell are benign. Parts are no drops.
func isBenign(c *event.Cell) bool {
	return !IsPart(c) && dropreason.Of(c).Class == dropreason.ClassBenign
}

// divide gives each group its part of a pool, with the names that its cell has by now. If
// all of it is not counted, what was counted after the last tick is known from samples alone.
func (a *Aggregator[K]) divide(p *pool[K], counted bool, add func(slot[K], Value)) {
	var samples, drops, octets, segments uint64
	for _, w := range p.weights {
		samples += w.samples
		drops += w.drops
		octets += w.octets
		segments += w.segments
	}
	whole := Value{Drops: p.drops, Bytes: p.bytes, Segments: p.segments, Exact: a.byCell && !p.cell.Overflow}
	if !counted {
		whole.Drops, whole.Bytes, whole.Segments = max(p.drops, drops), max(p.bytes, octets), max(p.segments, segments)
	}
	if len(p.weights) == 0 {
		add(slot[K]{a.key(p.cell, nil), IsPart(p.cell)}, whole)
		return
	}
	exact := whole.Exact || samples == whole.Drops
	ofDrops, ofBytes := divider{whole: whole.Drops, parts: drops}, divider{whole: whole.Bytes, parts: octets}
	ofSegments := divider{whole: whole.Segments, parts: segments}
	for _, w := range p.weights {
		if a.byCell && !p.cell.Overflow {
			w.slot = slot[K]{a.key(p.cell, nil), IsPart(p.cell)}
		}
		add(w.slot, Value{ofDrops.next(w.drops), ofBytes.next(w.octets), w.samples, exact, ofSegments.next(w.segments)})
	}
}

// addTo adds drops to their group, and parts to those of all groups.
func (a *Aggregator[K]) addTo(s slot[K], v Value) {
	if s.part {
		v.addTo(&a.sums.Parts)
		return
	}
	a.add(s.key, v, &a.sums.Total)
}

func (a *Aggregator[K]) add(key K, v Value, total *Value) {
	sum := a.sums.Of[key]
	if sum == nil {
		sum = &Value{Exact: true}
		a.sums.Of[key] = sum
		a.sums.Keys = append(a.sums.Keys, key)
	}
	v.addTo(sum)
	v.addTo(total)
}

func (v Value) addTo(sum *Value) {
	sum.Drops += v.Drops
	sum.Bytes += v.Bytes
	sum.Segments += v.Segments
	sum.Samples += v.Samples
	sum.Exact = sum.Exact && v.Exact
}
