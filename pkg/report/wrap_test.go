// SPDX-License-Identifier: Apache-2.0

package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	for text, want := range map[string][]string{
		"":                   {""},
		"one":                {"one"},
		"one  two":           {"one two"},
		"one two three":      {"one two", "three"},
		"≈≈≈ ≈≈≈≈ ≈":         {"≈≈≈ ≈≈≈≈", "≈"},
		"a net.core.backlog": {"a", "net.core", ".backlog"},
		"net.core.backlog a": {"net.core", ".backlog", "a"},
	} {
		if diff := cmp.Diff(want, wrap(text, 8)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}
