// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestNamedLater: a namespace that gets its name after its first drops has one row: all
// its cells get the name, once.
func TestNamedLater(t *testing.T) {
	r := newResolver(0, newStacks(names{}, 127), names{})
	known := map[uint32]string{1: "host"}
	r.netns = newNetnsNamer(func(inode uint32) string { return known[inode] })
	cell := func(netns, reason uint32) *event.Cell {
		return r.cell(&bpf.DropCellKey{Location: 0x1000, Reason: reason, Netns: netns}, false)
	}
	host, early, other, never, none := cell(1, 3), cell(7, 3), cell(7, 4), cell(8, 3), cell(0, 3)
	again := func() (named []*event.Cell) {
		r.netns.again(func(c *event.Cell) { named = append(named, c) })
		return named
	}
	if named := again(); len(named) > 0 {
		t.Errorf("named %v too early", named)
	}
	known[7] = "blue"
	if d := cmp.Diff([]*event.Cell{early, other}, again()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if named := again(); len(named) > 0 {
		t.Errorf("named %v twice", named)
	}
	late := cell(7, 5)
	var got []event.Netns
	for _, c := range []*event.Cell{host, early, other, late, never, none} {
		got = append(got, c.Netns)
	}
	want := []event.Netns{{Inode: 1, Name: "host"}, {Inode: 7, Name: "blue"}, {Inode: 7, Name: "blue"}, {Inode: 7, Name: "blue"}, {Inode: 8}, {}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
