// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestGoneCells has cells come and go, two at a time, with the IDs of those before them.
func TestGoneCells(t *testing.T) {
	const all = 100
	var events []event.Event
	location := &event.Frame{Symbol: "f"}
	made := func(i int) *event.Cell {
		return &event.Cell{ID: i % 2, Reason: event.Reason{Name: fmt.Sprintf("R%d", i)}, Location: location}
	}
	before := made(0)
	for i := 1; i < all; i++ {
		cell := made(i)
		events = append(events,
			&event.Drop{Cell: cell, Drops: 1},
			&event.Tick{Counts: []event.Count{{Cell: before, Drops: 1}, {Cell: cell, Drops: 2}}, Loss: event.Loss{Missed: new(uint64)}, Gone: []*event.Cell{before}})
		before = cell
	}
	events = append(events, &event.End{})
	file := write(t, events)
	for i := range all {
		if n := bytes.Count(file, fmt.Appendf(nil, `"reason":"R%d"`, i)); n != 1 {
			t.Errorf("R%d is written %d times", i, n)
		}
	}
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	// Each of them is a cell of its own to those who add up by cell.
	drops := map[*event.Cell]uint64{}
	for {
		e, err := r.Next()
		if err != nil {
			break
		}
		if tick, ok := e.(*event.Tick); ok {
			for _, c := range tick.Counts {
				drops[c.Cell] += c.Drops
			}
			if len(tick.Gone) != 1 || tick.Gone[0] != tick.Counts[0].Cell {
				t.Errorf("gone: %v", tick.Gone)
			}
		}
	}
	if len(r.cells) > 2 {
		t.Errorf("room for %d cells", len(r.cells))
	}
	got, want := map[string]uint64{}, map[string]uint64{}
	for cell, n := range drops {
		got[cell.Reason.Name] += n
	}
	for i := range all {
		want[fmt.Sprintf("R%d", i)] = 3
	}
	want["R0"], want[fmt.Sprintf("R%d", all-1)] = 1, 2
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("drops (-want +got):\n%s", diff)
	}
}
