// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// TestLocation: a location that is a function's first byte is that function, as
// net_tx_action gives it, with and without padding ahead of functions; a frame of a stack
// there is what comes before.
func TestLocation(t *testing.T) {
	for name, test := range map[string]struct {
		symbols          string
		start, inside    string
		returnedTo       string
		at, within, next uint64
	}{
		"padding": {
			"ffffffff80000000 T _stext\nffffffff81000000 T net_rx_action\nffffffff81000ff0 T __pfx_net_tx_action\n" +
				"ffffffff81001000 T net_tx_action\nffffffff81002000 T _etext\n",
			"net_tx_action+0x0", "net_tx_action+0x10", "net_tx_action+0x0", 0xffffffff81001000, 0xffffffff81001010, 0xffffffff81001000,
		},
		"none": {
			"ffffffff80000000 T _stext\nffffffff81000000 T net_rx_action\n" +
				"ffffffff81001000 T net_tx_action\nffffffff81002000 T _etext\n",
			"net_tx_action+0x0", "net_tx_action+0x10", "net_rx_action+0x1000", 0xffffffff81001000, 0xffffffff81001010, 0xffffffff81001000,
		},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := symbolize.ParseKallsyms(strings.NewReader(test.symbols))
			if err != nil {
				t.Fatal(err)
			}
			if got := newStacks(table, 127).location(test.at).String(); got != test.start {
				t.Errorf("where it begins: %s, want %s", got, test.start)
			}
			if got := newStacks(table, 127).location(test.within).String(); got != test.inside {
				t.Errorf("within: %s, want %s", got, test.inside)
			}
			if got := newStacks(table, 127).frame(test.next).String(); got != test.returnedTo {
				t.Errorf("a frame: %s, want %s", got, test.returnedTo)
			}
		})
	}
}
