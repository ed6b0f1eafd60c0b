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
	r.netns = newNetnsNamer(func(uint32) string { return "" })
	c := newCells(bytes, perCPU)
	c.grace, c.frees = func() bool { return true }, true
	return &table{c, memory, r}
}

// put counts in a slot as a program does, which claims it if it is free.
func (t *table) put(slot int, key bpf.DropCellKey, drops uint64) {
	c := &t.shared[slot]
	if c.State == bpf.DropCellStateCELL_FREE {
		c.Drops, c.Bytes = 0, 0
	}
	c.Key, c.Check, c.State = key, checkOf(words(&key)), bpf.DropCellStateCELL_IN_USE
	c.Drops += drops
	c.Bytes += 100 * drops
}

// look returns what a reading counts, by location.
func (t *table) look() map[event.Address]uint64 {
	var tally tally
	t.read(t.resolver, &tally)
	counts := map[event.Address]uint64{}
	for _, c := range tally.counts {
		counts[c.Cell.Location.Addr] += c.Drops
	}
	return counts
}

// TestNextSample: the next drop of a cell that became rare is a sample, and begins a block of
// one drop, also if it was to be a sample anyway: the block after that would be as long as the
// rate of before asks for.
func TestNextSample(t *testing.T) {
	for _, test := range []struct {
		left  uint32
		drops uint64
		want  uint32
	}{{300, 0, 0}, {1, 0, 0}, {300, 10, 0}, {300, 300, 300}, {1, 1, 1}, {0, 0, 0}} {
		table := newTable(4, 1)
		table.put(1, bpf.DropCellKey{Location: 0xffffffff81000010, Reason: 3}, 1000)
		table.look()
		table.shared[1].Drops += test.drops
		table.shared[1].Left = test.left
		table.look()
		if got := table.shared[1].Left; got != test.want {
			t.Errorf("%d drops are left until the next sample, %d were counted: now %d, want %d", test.left, test.drops, got, test.want)
		}
	}
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

func key(location uint64) bpf.DropCellKey {
	return bpf.DropCellKey{Location: location, Reason: 3, Netns: 7}
}

// TestRestingCells: of a table that is more than half full the cells that rest are freed,
// a grace period after programs have lost sight of them; what they counted until then
// counts, and what another kind counts in their place is that kind's.
func TestRestingCells(t *testing.T) {
	table := newTable(8, 1)
	graces := 0
	table.grace = func() bool {
		graces++
		if graces == 1 { // a program that had found the cell before goes on
			table.shared[1].Drops++
		}
		return true
	}
	for slot := 1; slot <= 5; slot++ {
		table.put(slot, key(uint64(slot)<<8), 1)
	}
	counted := map[event.Address]uint64{}
	look := func() {
		for at, n := range table.look() {
			counted[at] += n
		}
	}
	look()
	for range restReadings {
		table.put(5, key(0x500), 1)
		look()
	}
	for slot := 1; slot <= 5; slot++ {
		if hidden := table.shared[slot].Key.Location == retiredLocation; hidden != (slot < 5) {
			t.Errorf("slot %d: hidden from programs %t", slot, hidden)
		}
		if table.shared[slot].State == bpf.DropCellStateCELL_FREE {
			t.Errorf("slot %d is free before a grace period", slot)
		}
	}
	look()
	for slot := 1; slot <= 4; slot++ {
		if got := table.shared[slot]; got != (bpf.DropCell{Index: got.Index}) {
			t.Errorf("slot %d is %+v, want free", slot, got)
		}
	}
	if cells, unnamed := len(table.resolver.cells), len(table.resolver.netns.unnamed[7]); cells != 1 || unnamed != 1 {
		t.Errorf("%d cells are remembered, %d for the name of their namespace, want 1", cells, unnamed)
	}
	if len(table.gone) != 4 {
		t.Errorf("%d cells are said to be gone, want 4", len(table.gone))
	}
	table.put(2, key(0x900), 7)
	table.put(3, key(0x100), 1)
	look()
	want := map[event.Address]uint64{0x100: 3, 0x200: 1, 0x300: 1, 0x400: 1, 0x500: 1 + restReadings, 0x900: 7}
	if diff := cmp.Diff(want, counted); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if ids := table.resolver.nextID; ids != 5 {
		t.Errorf("cells had %d IDs, want those of the gone again", ids)
	}
	if graces != 1 {
		t.Errorf("waited %d times", graces)
	}
}

// TestKeptCells: cells stay where there is room for more, where programs cannot be waited
// for, and as long as another CPU has one of the same kind.
func TestKeptCells(t *testing.T) {
	for name, test := range map[string]struct {
		used, cpus int
		frees      bool
		remembered int
	}{
		"room for more":      {4, 1, true, 4},
		"no grace period":    {5, 1, false, 5},
		"nothing to keep":    {5, 1, true, 0},
		"another CPU's also": {5, 2, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			table := newTable(8, test.cpus)
			table.frees = test.frees
			for slot := 1; slot <= test.used; slot++ {
				table.put(slot, key(uint64(slot)<<8), 1)
			}
			if test.cpus > 1 { // where there is room
				for slot := 1; slot < 3; slot++ {
					table.put(8+slot, key(uint64(slot)<<8), 1)
				}
			}
			for range restReadings + 3 {
				table.look()
			}
			if got := len(table.resolver.cells); got != test.remembered {
				t.Errorf("%d cells are remembered, want %d", got, test.remembered)
			}
		})
	}
}
