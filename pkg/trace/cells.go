// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"sync/atomic"
	"unsafe"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// restReadings is the number of readings without a drop after which a cell may be freed.
const restReadings = 10

// cells reads the counters of all CPUs from memory that it shares with the programs. If more
// than half of a CPU's cells are in use, it frees the idle ones, so that short-lived kinds of
// drops, such as those of deleted namespaces, do not fill the table. It never frees a cell that
// counts drops.
type cells struct {
	shared            []bpf.DropCell
	perCPU            int
	seen              []seen // last reading of each slot
	rates             []float64
	rest              int                 // readings
	held              map[*event.Cell]int // number of slots of each cell
	retired           []retired
	gone              []*event.Cell // whose last slot was freed at the last reading
	grace             func() bool   // waits until running programs have ended; false if it cannot wait
	frees             bool          // grace can wait
	packetsUnreadable bool          // programs do not read packets, so they do not count segments
}

type seen struct {
	cell               *event.Cell
	drops, bytes, more uint64
	idle               int // readings since the last drop
}

// retired is a slot that programs no longer find.
type retired struct {
	slot int
	key  bpf.DropCellKey
}

// namer returns the cell of a key, the same one until forget is called.
type namer interface {
	cell(key *bpf.DropCellKey, overflow bool) *event.Cell
	forget(key *bpf.DropCellKey)
}

func newCells(memory []byte, perCPU int) *cells {
	n := len(memory) / int(unsafe.Sizeof(bpf.DropCell{}))
	return &cells{
		shared: unsafe.Slice((*bpf.DropCell)(unsafe.Pointer(&memory[0])), n),
		perCPU: perCPU,
		seen:   make([]seen, n),
		rest:   restReadings,
		held:   map[*event.Cell]int{},
		grace:  gracePeriod, frees: gracePeriods(),
	}
}

// read adds the counts since the last reading to the tally, and names new cells. If the key of
// a cell is not complete yet, see wholeKey, its counts come with a later reading.
func (c *cells) read(names namer, t *tally) {
	c.rates, c.gone = c.rates[:0], c.gone[:0]
	// Cells retired at the last reading are read for the last time.
	last := c.retired
	if len(last) > 0 && !c.grace() {
		last = nil
	}
	c.retired = c.retired[len(last):]
	for first := 0; first < len(c.shared); first += c.perCPU {
		used := 0
		for i := first; i < first+c.perCPU; i++ {
			if c.readOne(i, names, t); c.seen[i].cell != nil {
				used++
			}
		}
		if used > c.perCPU/2 && c.frees {
			c.retire(first)
		}
	}
	c.free(last, names)
}

// readOne reads a cell. If more drops are left until its next sample than it counted since the
// last reading, readOne makes the next drop a sample, so that a kind of drop that became rare
// is still sampled.
func (c *cells) readOne(i int, names namer, t *tally) {
	shared, seen := &c.shared[i], &c.seen[i]
	drops, bytes, more := atomic.LoadUint64(&shared.Drops), atomic.LoadUint64(&shared.Bytes), atomic.LoadUint64(&shared.More)
	delta := drops - seen.drops
	if left := atomic.LoadUint32(&shared.Left); left > 0 && uint64(left) > delta {
		atomic.StoreUint32(&shared.Left, 0)
	}
	if delta == 0 && bytes == seen.bytes && more == seen.more {
		seen.idle++
		return
	}
	if seen.cell == nil {
		overflow := i%c.perCPU == 0
		key, whole := wholeKey(shared)
		if !whole && !overflow {
			return
		}
		seen.cell = names.cell(&key, overflow)
		c.held[seen.cell]++
	}
	// If a program is counting a drop now, its bytes may come with the next reading.
	count := event.Count{Cell: seen.cell, Drops: delta, Bytes: bytes - seen.bytes}
	if !c.packetsUnreadable {
		count.Segments = delta + more - seen.more
	}
	t.add(count)
	seen.drops, seen.bytes, seen.more, seen.idle = drops, bytes, more, 0
	c.rates = append(c.rates, float64(delta))
}

// retire hides the idle cells of a CPU from its programs.
func (c *cells) retire(first int) {
	for i := first + 1; i < first+c.perCPU; i++ { // not the overflow cell
		seen, shared := &c.seen[i], &c.shared[i]
		if seen.cell == nil || seen.idle < c.rest || atomic.LoadUint64(&shared.Key.Location) == retiredLocation {
			continue
		}
		key, _ := wholeKey(shared)
		atomic.StoreUint64(&shared.Key.Location, retiredLocation)
		c.retired = append(c.retired, retired{i, key})
	}
}

const retiredLocation = uint64(bpf.DropCellLocationCELL_RETIRED)

// free returns retired cells to the programs. No program has counted in them since they were
// read, and no earlier store of a program can overwrite the stores here, because a grace period
// lies in between. The store of the state is last.
func (c *cells) free(last []retired, names namer) {
	for _, r := range last {
		shared := &c.shared[r.slot]
		for i := range words(&shared.Key) {
			atomic.StoreUint64(&words(&shared.Key)[i], 0)
		}
		atomic.StoreUint32(&shared.Check, 0)
		atomic.StoreUint64(&shared.Drops, 0)
		atomic.StoreUint64(&shared.Bytes, 0)
		atomic.StoreUint64(&shared.More, 0)
		atomic.StoreUint32((*uint32)(&shared.State), uint32(bpf.DropCellStateCELL_FREE))

		cell := c.seen[r.slot].cell
		if c.held[cell]--; c.held[cell] == 0 {
			delete(c.held, cell)
			names.forget(&r.key)
			c.gone = append(c.gone, cell)
		}
		c.seen[r.slot] = seen{}
	}
}

// wholeKey returns the key of a cell, and whether it is complete. A CPU's stores to a new cell
// may become visible in any order: on arm64 its drops before its key, or one half of the key
// before the other. The check (bpf/cell.h) matches only the complete key, except for one
// mixture in 2^31. An RCU grace period after the programs have ended, all keys are complete.
func wholeKey(shared *bpf.DropCell) (bpf.DropCellKey, bool) {
	var key bpf.DropCellKey
	to, from := words(&key), words(&shared.Key)
	for i := range to {
		to[i] = atomic.LoadUint64(&from[i])
	}
	return key, atomic.LoadUint32(&shared.Check) == checkOf(to)
}

func words(key *bpf.DropCellKey) *[3]uint64 { return (*[3]uint64)(unsafe.Pointer(key)) }

// checkOf computes the check of a key as check_of in bpf/cell.h does.
func checkOf(key *[3]uint64) uint32 {
	hash := key[0] ^ key[1]*0x9e3779b97f4a7c15 ^ key[2]*0xff51afd7ed558ccd
	hash ^= hash >> 32
	return uint32(hash*0xc4ceb9fe1a85ec53>>32) | 1
}

// tally sums the counts of a cell over all CPUs.
type tally struct {
	counts []event.Count
	place  []int // index in counts plus one, by the ID of the cell
}

func (t *tally) reset() {
	for _, c := range t.counts {
		t.place[c.Cell.ID] = 0
	}
	t.counts = t.counts[:0]
}

func (t *tally) add(c event.Count) {
	id := c.Cell.ID
	for id >= len(t.place) {
		t.place = append(t.place, 0)
	}
	if t.place[id] == 0 {
		t.counts = append(t.counts, event.Count{Cell: c.Cell})
		t.place[id] = len(t.counts)
	}
	sum := &t.counts[t.place[id]-1]
	sum.Drops += c.Drops
	sum.Bytes += c.Bytes
	sum.Segments += c.Segments
}
