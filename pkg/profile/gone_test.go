// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"fmt"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestGoneCells: of cells that come and go an Aggregator keeps what their groups came to, of
// so many groups, and loses no drop.
func TestGoneCells(t *testing.T) {
	const all, each = 3 * maxSettled, 3
	by, err := ParseDimensions("reason,device")
	if err != nil {
		t.Fatal(err)
	}
	a := NewAggregator(true, Grouping(by).Key)
	add := func(i int, device string, gone bool) {
		cell := &event.Cell{Reason: event.Reason{Name: "CPU_BACKLOG"}, Location: &event.Frame{}, Device: event.Device{Name: device, Index: i + 2}}
		a.Add(&event.Drop{Cell: cell, Drops: 2, Len: 50})
		tick := &event.Tick{Counts: []event.Count{{Cell: cell, Drops: each, Bytes: 100}}}
		if gone {
			tick.Gone = []*event.Cell{cell}
		}
		a.Add(tick)
	}
	for i := range all {
		add(i, fmt.Sprintf("veth%d", i), true)
	}
	add(0, "veth0", true) // again
	add(0, "eth0", false)
	if len(a.pools) != 1 || len(a.order) != 1 || len(a.settled.of) > maxSettled+1 {
		t.Errorf("%d cells and %d groups are kept", len(a.pools), len(a.settled.of))
	}
	sums := a.Sums()
	if sums.Total.Drops != (all+2)*each || sums.Total.Bytes != (all+2)*100 || !sums.Total.Exact || sums.Total.Samples != all+2 {
		t.Errorf("%+v in all", sums.Total)
	}
	if len(sums.Keys) != maxSettled+2 {
		t.Errorf("%d groups", len(sums.Keys))
	}
	for device, want := range map[string]uint64{"veth0": 2 * each, "veth1": each, "eth0": each, event.GoneDevices: (all - maxSettled) * each} {
		key := Grouping(by).Key(&event.Cell{Reason: event.Reason{Name: "CPU_BACKLOG"}, Device: event.Device{Name: device}}, nil)
		if v := sums.Of[key]; v == nil || v.Drops != want {
			t.Errorf("%s: %+v, want %d drops", device, v, want)
		}
	}
}

// TestBenign adds up the benign drops of cells that are there and of cells that are gone,
// without parts of packets, whatever is grouped by, as often as it is asked.
func TestBenign(t *testing.T) {
	other := &event.Cell{ID: 1, Reason: event.Reason{Name: "OTHERHOST"}, Location: &event.Frame{Symbol: "ip_rcv_core"}}
	old := &event.Cell{ID: 2, Reason: event.Reason{Name: "TCP_OLD_DATA"}, Location: &event.Frame{Symbol: "tcp_data_queue"}}
	lost := &event.Cell{ID: 3, Reason: event.Reason{Name: "CPU_BACKLOG"}, Location: &event.Frame{Symbol: "enqueue_to_backlog"}}
	part := &event.Cell{ID: 4, Reason: event.Reason{Name: "SKB_CONSUMED"}, Location: &event.Frame{Symbol: "skb_release_data"}}
	if !IsPart(part) {
		t.Fatal("no part")
	}
	for _, by := range []string{"reason", "comm"} {
		grouping := Grouping(dimensions(t, by))
		a := NewAggregator(grouping.ByCell(), grouping.Key)
		a.Add(&event.Drop{Cell: other, Drops: 3, Len: 60, Task: event.Task{Comm: "a"}})
		a.Add(&event.Drop{Cell: other, Drops: 1, Len: 60, Task: event.Task{Comm: "b"}})
		a.Add(&event.Tick{Gone: []*event.Cell{old}, Counts: []event.Count{
			{Cell: other, Drops: 9}, {Cell: old, Drops: 20}, {Cell: lost, Drops: 100}, {Cell: part, Drops: 1000},
		}})
		a.Add(&event.End{})
		for range 2 {
			if sums := a.Sums(); sums.Benign != 29 || sums.Total.Drops != 129 || sums.Parts.Drops != 1000 {
				t.Errorf("by %s: %d benign of %d, %d parts", by, sums.Benign, sums.Total.Drops, sums.Parts.Drops)
			}
		}
	}
}
