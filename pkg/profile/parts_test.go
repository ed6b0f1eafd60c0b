// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestParts: parts of packets are in no group and no total, but in a sum of their own,
// whether a cell or a sample of those past the room for cells tells of them.
func TestParts(t *testing.T) {
	release := frame(20, "skb_release_data")
	parts := &event.Cell{ID: 10, Reason: rare.Reason, Location: release, Device: rare.Device, Netns: rare.Netns}
	spilled := &event.Cell{ID: 11, Location: &event.Frame{ID: 21}, Overflow: true}
	past := func(c *event.Cell) *event.Drop {
		d := sampled(c, portStack, event.ContextSoftirq, "curl", 1, 4000)
		d.Overflow = true
		return d
	}
	source := func() *script {
		return &script{events: []event.Event{
			sampled(rare, portStack, event.ContextIdle, "swapper/1", 1, 4000),
			sampled(parts, portStack, event.ContextIdle, "swapper/1", 13, 4000),
			past(rare), past(parts), past(parts), past(parts),
			&event.Tick{Time: time.Second, Counts: []event.Count{
				{Cell: rare, Drops: 2, Bytes: 200}, {Cell: parts, Drops: 26, Bytes: 2600}, {Cell: spilled, Drops: 8, Bytes: 800},
			}},
			&event.End{Time: time.Second},
		}}
	}
	by, err := ParseDimensions("reason")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := Aggregate(source(), true, Grouping(by).Key)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{"total": sums.Total.Drops, "parts": sums.Parts.Drops}
	for key, v := range sums.Of {
		got[key] += v.Drops
	}
	want := map[string]uint64{"total": 4, "parts": 32, "NO_SOCKET": 4}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	profile, _, err := PProf(source(), PProfOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var weight int64
	for _, s := range profile.Sample {
		weight += s.Value[0]
	}
	if weight != 4 {
		t.Errorf("a profile of %d drops, want 4", weight)
	}
}
