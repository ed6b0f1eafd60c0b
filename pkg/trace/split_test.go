// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// TestExtent takes a function's code to last up to the next one's.
func TestExtent(t *testing.T) {
	table, err := symbolize.ParseKallsyms(strings.NewReader(
		"ffff800010a0d000 t kfree_skb.part.0\nffff800010a0d0d0 T kfree_skb\nffff800010a0d108 T skb_tx_error\n"))
	if err != nil {
		t.Fatal(err)
	}
	if start, end := extent(table, "kfree_skb"); start != 0xffff800010a0d0d0 || end != 0xffff800010a0d108 {
		t.Errorf("%#x to %#x", start, end)
	}
	if start, end := extent(table, "kfree_skb_list_reason", "kfree_skb"); start != 0xffff800010a0d0d0 || end == 0 {
		t.Errorf("%#x to %#x of the first of two that there is", start, end)
	}
	if start, end := extent(table, "kfree"); start != 0 || end != 0 {
		t.Errorf("%#x to %#x of a function there is not", start, end)
	}
}
