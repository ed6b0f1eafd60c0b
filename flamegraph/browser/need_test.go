// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"strings"
	"testing"
)

// A recorder stands in for a test and notes how it ends.
type recorder struct {
	testing.TB
	ended string
}

func (r *recorder) Helper()               {}
func (r *recorder) Skip(...any)           { r.ended += "skipped" }
func (r *recorder) Fatalf(string, ...any) { r.ended += "failed" }

func TestSkip(t *testing.T) {
	for set, want := range map[string]string{"": "skipped", "1": "failed"} {
		t.Setenv(ci, set)
		r := &recorder{TB: t}
		if skip(r, "no browser"); !strings.HasPrefix(r.ended, want) {
			t.Errorf("%s=%s: test %q, want %q", ci, set, r.ended, want)
		}
	}
}
