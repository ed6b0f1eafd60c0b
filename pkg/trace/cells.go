// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"sync/atomic"
	"unsafe"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// restReadings is for how many readings a cell has to rest before it may be freed.
const restReadings = 10

// cells reads the counters of all CPUs, which the programs write, through
// memory that the kernel shares. Where more than half of a CPU's are in use it frees
// those that rest, so that kinds of drops that come and go, as with namespaces, do not
// fill the table for good. Those that count are never freed for others.
type cells struct {
	shared  []bpf.DropCell
	perCPU  int
	seen    []seen // what was read of each slot the last time
	rates   []float64
	rest    int                 // readings
	held    map[*event.Cell]int // in how many slots cells are
	retired []retired
	gone    []*event.Cell // that no slot is left of since the last reading
	grace   func() bool   // waits until programs that run have ended; false: it cannot
	frees   bool          // grace can
	unread  bool          // programs read no packets, and so count no segments
}

type seen struct {
	cell               *event.Cell
	drops, bytes, more uint64
	idle               int // readings since it counted
}

// retired is a slot that no program finds any more.
type retired struct {
	slot int
	key  bpf.DropCellKey
}

// namer names the cells of keys, until it is told to forget them.
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

// read adds what was counted since the last time to the tally, naming new cells. What a
// cell counted whose key has not arrived yet, see wholeKey, comes the next time.
func (c *cells) read(names namer, t *tally) {
	c.rates, c.gone = c.rates[:0], c.gone[:0]
	// Those that were retired at the last reading are read for the last time.
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

// readOne reads a cell. One whose next sample is farther off than all its recent drops has
// it brought forward, so that what became rare is still seen.
func (c *cells) readOne(i int, names namer, t *tally) {
	shared, seen := &c.shared[i], &c.seen[i]
	drops, bytes, more := atomic.LoadUint64(&shared.Drops), atomic.LoadUint64(&shared.Bytes), atomic.LoadUint64(&shared.More)
	delta := drops - seen.drops
	if left := atomic.LoadUint32(&shared.Left); left > 1 && uint64(left) > delta {
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
	// Of a drop in the middle of being counted the bytes may come a reading later.
	count := event.Count{Cell: seen.cell, Drops: delta, Bytes: bytes - seen.bytes}
	if !c.unread {
		count.Segments = delta + more - seen.more
	}
	t.add(count)
	seen.drops, seen.bytes, seen.more, seen.idle = drops, bytes, more, 0
	c.rates = append(c.rates, float64(delta))
}

// retire hides those cells of a CPU from its programs that rest.
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

// free gives cells back to the programs, which no program has counted in since they were
// read. What is written here none of the programs' older stores can replace, and the
// state comes last.
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
	hash ^= hash >> 32
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
