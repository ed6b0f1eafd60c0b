// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNotesOfManyPlaces: one note of a kind, however many places it happens at.
func TestNotesOfManyPlaces(t *testing.T) {
	var n notes
	for pid := range 3 * maxNotes {
		n.add(fmt.Errorf("read protocol counters: %w", &fs.PathError{Op: "open", Path: fmt.Sprintf("proc/%d/net/snmp", pid), Err: fs.ErrPermission}))
		n.add(fmt.Errorf("read xfrm counters: %w", fs.ErrPermission))
	}
	want := []string{"read protocol counters: open proc/0/net/snmp: permission denied", "read xfrm counters: permission denied"}
	if d := cmp.Diff(want, n.all()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for i := range 3 * maxNotes {
		n.add(fmt.Errorf("fail in way %d", i))
	}
	if len(n.all()) != maxNotes {
		t.Errorf("%d notes", len(n.all()))
	}
}
