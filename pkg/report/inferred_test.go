// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

// guessed is a backlog on a kernel that states no reasons.
var guessed = &event.Cell{ID: 5, Reason: event.Reason{Name: "CPU_BACKLOG", Inferred: true},
	Location: &event.Frame{Addr: 1, Symbol: "enqueue_to_backlog", Offset: 0x153}}

// TestInferred marks what is inferred, in text by a mark and in JSON by a field.
func TestInferred(t *testing.T) {
	recorded := func(name string, drops uint64) profile.Recording {
		return counted(name, 0, 10*time.Second, event.Count{Cell: guessed, Drops: drops, Bytes: drops * 60},
			event.Count{Cell: closed, Drops: 4, Bytes: 240})
	}
	dimensions, err := profile.ParseDimensions(DefaultDiffBy)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Read(recorded("a", 100).Source, Options{By: dimensions})
	if err != nil {
		t.Fatal(err)
	}
	c := compare(t, DefaultDiffBy, 0, recorded("a", 100), recorded("b", 10))
	d := event.Drop{Drops: 1, Cell: guessed, Len: 60}
	for name, write := range map[string]func(io.Writer) error{
		"inferred.txt":       func(w io.Writer) error { return WriteText(w, r, true) },
		"inferred.json":      func(w io.Writer) error { return WriteJSON(w, r) },
		"inferred-diff.txt":  func(w io.Writer) error { return WriteDiffText(w, c, false) },
		"inferred-diff.json": func(w io.Writer) error { return WriteDiffJSON(w, c) },
		"inferred.jsonl":     func(w io.Writer) error { return NewEventEncoder(w, r.Meta).Encode(&d) },
		"inferred-event.txt": func(w io.Writer) error {
			_, err := w.Write(AppendEvent(nil, r.Meta, &d, EventOptions{}))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.Bytes())
		})
	}
}
