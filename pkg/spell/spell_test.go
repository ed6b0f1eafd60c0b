// SPDX-License-Identifier: Apache-2.0

package spell

import "testing"

func TestThousands(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", 1<<64 - 1: "18,446,744,073,709,551,615"} {
		if got := Thousands(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestPluralOfY(t *testing.T) {
	for noun, want := range map[string]string{"reply": "2 replies", "delay": "2 delays", "key": "2 keys"} {
		if got := Plural(2, noun); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestPlural(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 drops", 1: "1 drop", 2: "2 drops", 1234: "1,234 drops"} {
		if got := Plural(n, "drop"); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
