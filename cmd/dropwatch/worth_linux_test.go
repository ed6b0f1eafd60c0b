// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// recordingOf returns a recording that lasts so long, with or without an end.
func recordingOf(t *testing.T, lasts time.Duration, ends bool) string {
	t.Helper()
	var b bytes.Buffer
	w, err := recording.NewWriter(&b, &event.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	events := []event.Event{&event.Tick{}, &event.Tick{Time: lasts}}
	if ends {
		events = append(events, &event.End{Time: lasts})
	}
	for _, e := range events {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	end := w.Flush
	if ends {
		end = w.Close
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestWorthKeeping: only a recording that was cut short soon makes way for the next one
// without a trace, and only if there is an older one.
func TestWorthKeeping(t *testing.T) {
	for name, test := range map[string]struct {
		now, old string
		want     bool
	}{
		"whole":            {recordingOf(t, time.Second, true), "old", true},
		"cut soon":         {recordingOf(t, time.Second, false), "old", false},
		"cut later":        {recordingOf(t, soon, false), "old", true},
		"no other is kept": {recordingOf(t, time.Second, false), "", true},
		"something else":   {"precious", "old", true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "drops")
			putFile(t, path, test.now)
			putFile(t, path+".old", test.old)
			dir, err := os.Open(filepath.Dir(path))
			if err != nil {
				t.Fatal(err)
			}
			defer dir.Close()
			if got := worthKeeping(dir, "drops"); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
