// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

// TestSegments: segments are told beside packets where packets held several, and not where
// each held one or nobody knows.
func TestSegments(t *testing.T) {
	by, err := profile.ParseDimensions("reason")
	if err != nil {
		t.Fatal(err)
	}
	text := func(segments uint64) string {
		r, err := Read(&source{events: []event.Event{
			&event.Tick{Time: time.Second, Counts: []event.Count{{Cell: storm, Drops: 10, Bytes: 1000, Segments: segments}}},
			&event.End{Time: time.Second},
		}}, Options{By: by})
		if err != nil {
			t.Fatal(err)
		}
		if r.Segments != segments || r.Groups[0].Segments != segments {
			t.Errorf("%d segments, %d of the group, want %d", r.Segments, r.Groups[0].Segments, segments)
		}
		var b bytes.Buffer
		if err := WriteText(&b, r, false); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	joined := text(400)
	for _, want := range []string{": 10 drops in 1s", "\nof 400 segments that GSO or GRO had joined\n", "\nDROPS  SEGMENTS ", "\n   10       400 "} {
		if !strings.Contains(joined, want) {
			t.Errorf("no %q in\n%s", want, joined)
		}
	}
	for _, segments := range []uint64{0, 10} {
		if plain := text(segments); strings.Contains(plain, "segments") {
			t.Errorf("of %d segments:\n%s", segments, plain)
		}
	}
}
