// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"testing"

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
