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
// it brought forward, so that what became rare is still seen. What a cell counted whose
// key has not arrived yet, see wholeKey, comes the next time.
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
			key, whole := wholeKey(shared)
			if !whole && !overflow {
				continue
			}
			seen.cell = name(&key, overflow)
		}
		t.add(seen.cell, delta, bytes-seen.bytes)
		seen.drops, seen.bytes = drops, bytes
		c.rates = append(c.rates, float64(delta))
	}
}

// wholeKey returns the key of a cell, and whether all of it has arrived. A CPU's stores to
// a new cell may become visible in any order: on arm64 its drops before its key, or one
// half of the key before the other. The check, bpf/cell.h, fits the whole key alone (but
// for one mixture in 2^31). When programs have ended, an RCU grace period before, keys are
// whole.
func wholeKey(shared *bpf.DropCell) (bpf.DropCellKey, bool) {
	var key bpf.DropCellKey
	to, from := words(&key), words(&shared.Key)
	for i := range to {
		to[i] = atomic.LoadUint64(&from[i])
	}
	return key, atomic.LoadUint32(&shared.Check) == checkOf(to)
}

func words(key *bpf.DropCellKey) *[3]uint64 { return (*[3]uint64)(unsafe.Pointer(key)) }

// checkOf does what check_of does in bpf/cell.h.
func checkOf(key *[3]uint64) uint32 {
	hash := key[0] ^ key[1]*0x9e3779b97f4a7c15 ^ key[2]*0xff51afd7ed558ccd
	return uint32(hash*0xc4ceb9fe1a85ec53>>32) | 1
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
