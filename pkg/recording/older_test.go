// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestOlderSchemas reads recordings of every schema that was ever written.
func TestOlderSchemas(t *testing.T) {
	for name, want := range map[string][]event.Event{
		"schema1.jsonl": withoutSegments(), "schema2.jsonl": withoutSegments(), "schema2-stalls.jsonl": stallsBefore4(),
		"schema3.jsonl": withoutSegments(), "schema3-stalls.jsonl": stallsBefore4(), "schema3-counters.jsonl": countersWithoutIndexes(),
	} {
		raw, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if diff := cmp.Diff(want, allEvents(t, r), sameEvents); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// withoutSegments are sampleEvents as schemas before 4 had them, with one VLAN tag at most.
func withoutSegments() []event.Event {
	events := sampleEvents()
	for _, e := range events {
		switch e := e.(type) {
		case *event.Drop:
			e.Segments, e.Packet.HasInner, e.Packet.Inner = 0, false, 0
		case *event.Tick:
			e.Totals.Segments = 0
			for i := range e.Counts {
				e.Counts[i].Segments = 0
			}
		case *event.End:
			e.Totals.Segments = 0
		}
	}
	return events
}

// stallsBefore4 are stallEvents as older schemas had them: nothing was known of threads that
// moved, nor of the longest wait.
func stallsBefore4() []event.Event {
	events := stallEvents()
	for _, e := range events {
		if w, ok := e.(*event.Window); ok {
			w.Woken, w.WaitedCPU, w.Moved, w.Cut, w.Longest, w.LongestEnd = 0, 0, false, false, 0, 0
		}
	}
	return events
}

// countersWithoutIndexes are counterEvents as schema 3 had them: devices had names alone,
// and all counters started from 0.
func countersWithoutIndexes() []event.Event {
	events := counterEvents()
	for _, e := range events {
		counters, ok := e.(*event.Counters)
		if !ok {
			continue
		}
		counters.Readings = slices.DeleteFunc(counters.Readings, func(r event.Reading) bool { return r.Device == "veth8" })
		counters.Bases = nil
		for i := range counters.Readings {
			counters.Readings[i].Index = 0
		}
		for i := range counters.Links {
			counters.Links[i].Index, counters.Links[i].PeerIndex = 0, 0
		}
	}
	return events
}
