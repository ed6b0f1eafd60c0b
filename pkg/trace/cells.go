// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"sync/atomic"
	"unsafe"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// cells reads the counters of all CPUs, which the programs write, through
// memory that the kernel shares.
type cells struct {
	shared []bpf.DropCell
	perCPU int
	seen   []seen // what was read of each slot the last time
	rates  []float64
}

type seen struct {
	cell         *event.Cell
	drops, bytes uint64
}

func newCells(memory []byte, perCPU int) *cells {
	n := len(memory) / int(unsafe.Sizeof(bpf.DropCell{}))
	return &cells{
		shared: unsafe.Slice((*bpf.DropCell)(unsafe.Pointer(&memory[0])), n),
		perCPU: perCPU,
		seen:   make([]seen, n),
	}
}

// read adds what was counted since the last time to the tally, naming new cells
// by name. A cell whose next sample is farther off than all its recent drops has
// it brought forward, so that what became rare is still seen.
func (c *cells) read(name func(key *bpf.DropCellKey, overflow bool) *event.Cell, t *tally) {
	c.rates = c.rates[:0]
	for i := range c.shared {
		shared, seen := &c.shared[i], &c.seen[i]
		overflow := i%c.perCPU == 0
		drops := atomic.LoadUint64(&shared.Drops)
		delta := drops - seen.drops
		if left := atomic.LoadUint32(&shared.Left); left > 1 && uint64(left) > delta {
			atomic.StoreUint32(&shared.Left, 0)
		}
		if delta == 0 {
			continue
		}
		// The program counts drops before bytes; what is in between comes next time.
		bytes := atomic.LoadUint64(&shared.Bytes)
		if seen.cell == nil {
			seen.cell = name(&shared.Key, overflow)
		}
		t.add(seen.cell, delta, bytes-seen.bytes)
		seen.drops, seen.bytes = drops, bytes
		c.rates = append(c.rates, float64(delta))
	}
}

// tally sums counts of equal cells of several CPUs.
type tally struct {
	counts []event.Count
	place  []int // of each cell in counts, plus one, by its ID
}

func (t *tally) reset() {
	for _, c := range t.counts {
		t.place[c.Cell.ID] = 0
	}
	t.counts = t.counts[:0]
}

func (t *tally) add(cell *event.Cell, drops, bytes uint64) {
	for cell.ID >= len(t.place) {
		t.place = append(t.place, 0)
	}
	if t.place[cell.ID] == 0 {
		t.counts = append(t.counts, event.Count{Cell: cell})
		t.place[cell.ID] = len(t.counts)
	}
	sum := &t.counts[t.place[cell.ID]-1]
	sum.Drops += drops
	sum.Bytes += bytes
}
