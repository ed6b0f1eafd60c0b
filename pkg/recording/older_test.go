// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestOlderSchemas reads recordings of every schema that was ever written.
func TestOlderSchemas(t *testing.T) {
	for name, want := range map[string][]event.Event{
		"schema1.jsonl": sampleEvents(), "schema2.jsonl": sampleEvents(), "schema2-stalls.jsonl": stallEvents(),
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
