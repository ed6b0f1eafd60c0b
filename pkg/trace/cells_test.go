// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// table is a table of cells in memory of a test, which stands for the programs.
type table struct {
	*cells
	shared   []bpf.DropCell
	resolver *resolver
}

func newTable(perCPU, cpus int) *table {
	memory := make([]bpf.DropCell, perCPU*cpus)
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&memory[0])), len(memory)*int(unsafe.Sizeof(memory[0])))
	r := newResolver(0, newStacks(names{}, 127), names{})
	r.netns.name = func(uint32) string { return "" }
	return &table{newCells(bytes, perCPU), memory, r}
}

// put counts in a slot as a program does, which claims it if it is free.
func (t *table) put(slot int, key bpf.DropCellKey, drops uint64) {
	c := &t.shared[slot]
	c.Key, c.Check, c.State = key, checkOf(words(&key)), bpf.DropCellStateCELL_IN_USE
	c.Drops += drops
	c.Bytes += 100 * drops
}

// look returns what a reading counts, by location.
func (t *table) look() map[event.Address]uint64 {
	var tally tally
	t.read(t.resolver.cell, &tally)
	counts := map[event.Address]uint64{}
	for _, c := range tally.counts {
		counts[c.Cell.Location.Addr] += c.Drops
	}
	return counts
}

// TestTornKey has the stores of a program arrive in every order: a cell is named by its
// key or not at all, and what it counted meanwhile is not lost.
func TestTornKey(t *testing.T) {
	key := bpf.DropCellKey{Location: 0xffffffff81000010, Reason: 3, Ifindex: 2, Netns: 7, Ethertype: 0x800, L4: 17}
	want := map[event.Address]uint64{event.Address(key.Location): 8}
	for arrived := range 1 << 4 { // of three words and the check
		table := newTable(4, 1)
		table.put(1, key, 5)
		torn := &table.shared[1]
		for i, word := range words(&key) {
			if arrived&(1<<i) == 0 {
				word = 0
			}
			words(&torn.Key)[i] = word
		}
		if arrived&(1<<3) == 0 {
			torn.Check = 0
		}
		counts := table.look()
		if whole := arrived == 1<<4-1; whole != (len(counts) == 1) {
			t.Errorf("words %04b have arrived: counted %v", arrived, counts)
		}
		table.put(1, key, 3)
		for at, n := range table.look() {
			counts[at] += n
		}
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Errorf("words %04b had arrived (-want +got):\n%s", arrived, diff)
		}
	}
}
