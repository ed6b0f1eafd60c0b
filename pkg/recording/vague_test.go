// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestVague reads what a recording says of a reason's meaning; of one from before it was
// asked, every meaning that depends on the kernel is vague.
func TestVague(t *testing.T) {
	const vague, clear = `{"id":0,"reason":"NOT_SPECIFIED","vague":true}`, `{"id":0,"reason":"NOT_SPECIFIED"}`
	for name, test := range map[string]struct {
		schema         int
		function, line string
		want           bool
	}{
		"said":                      {4, "tcp_v4_rcv", vague, true},
		"not said":                  {4, "tcp_v4_rcv", clear, false},
		"not asked":                 {3, "tcp_v4_rcv", clear, true},
		"nothing to ask":            {3, "stp_pdu_rcv", clear, false},
		"nothing to ask, no symbol": {1, "", clear, false},
	} {
		t.Run(name, func(t *testing.T) {
			tables := tables{schema: test.schema, frames: []*event.Frame{{Symbol: test.function}}}
			if err := tables.addCell([]byte(test.line)); err != nil {
				t.Fatal(err)
			}
			if got := tables.cells[0].Reason.Vague; got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

// TestVagueWritten has a recording say of a reason what its writer knew, and nothing more.
func TestVagueWritten(t *testing.T) {
	location := &event.Frame{Addr: 1, Symbol: "tcp_v4_rcv"}
	for _, vague := range []bool{false, true} {
		cell := &event.Cell{Reason: event.Reason{Code: 2, Name: "NOT_SPECIFIED", Vague: vague}, Location: location}
		var file bytes.Buffer
		w, err := NewWriter(&file, &event.Meta{})
		if err != nil {
			t.Fatal(err)
		}
		tick := &event.Tick{Time: time.Second, Counts: []event.Count{{Cell: cell, Drops: 1}}, Totals: event.Totals{Drops: 1}}
		if err := errors.Join(w.Write(tick), w.Close()); err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(&file)
		if err != nil {
			t.Fatal(err)
		}
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got := e.(*event.Tick).Counts[0].Cell.Reason.Vague; got != vague {
			t.Errorf("vague: %t, was written as %t", got, vague)
		}
		r.Close()
	}
}
