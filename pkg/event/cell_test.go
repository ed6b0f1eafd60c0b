// SPDX-License-Identifier: Apache-2.0

package event

import "testing"

func TestReasonString(t *testing.T) {
	for text, reason := range map[string]Reason{
		"CPU_BACKLOG":  {Name: "CPU_BACKLOG"},
		"~CPU_BACKLOG": {Name: "CPU_BACKLOG", Inferred: true},
		"[overflow]":   {Name: "[overflow]"},
		"1234":         {Name: "1234"},
	} {
		if got := ParseReason(text); got != reason {
			t.Errorf("ParseReason(%q) = %+v, want %+v", text, got, reason)
		}
		reason.Code = 2
		if got := reason.String(); got != text {
			t.Errorf("%+v is %q, want %q", reason, got, text)
		}
	}
}
