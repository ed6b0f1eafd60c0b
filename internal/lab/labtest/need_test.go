// SPDX-License-Identifier: Apache-2.0

package labtest

import (
	"errors"
	"fmt"
	"testing"
)

// A recorder stands in for a test and notes how it ends.
type recorder struct {
	testing.TB
	ended string
}

func (r *recorder) Helper()               {}
func (r *recorder) Skip(...any)           { r.end("skipped") }
func (r *recorder) Fatal(...any)          { r.end("failed") }
func (r *recorder) Fatalf(string, ...any) { r.end("failed") }

// end keeps the first way to end, as a test would not have gone on.
func (r *recorder) end(how string) {
	if r.ended == "" {
		r.ended = how
	}
}

func TestNeed(t *testing.T) {
	unsupported := fmt.Errorf("add qdisc: %w", errors.ErrUnsupported)
	tests := []struct {
		name, ci string
		err      error
		want     string
	}{
		{"no error", "", nil, ""},
		{"no error in CI", "1", nil, ""},
		{"unsupported", "", unsupported, "skipped"},
		{"unsupported in CI", "1", unsupported, "failed"},
		{"other error", "", errors.New("broken"), "failed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(ci, test.ci)
			r := &recorder{TB: t}
			Need(r, test.err)
			if r.ended != test.want {
				t.Errorf("test %q, want %q", r.ended, test.want)
			}
		})
	}
}
