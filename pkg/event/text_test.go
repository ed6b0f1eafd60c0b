// SPDX-License-Identifier: Apache-2.0

package event

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for name, want := range map[string]string{
		"curl\x00junk":               "curl",
		"":                           "",
		"a;b c":                      "a;b c",
		"<script>x</script>":         "<script>x</script>",
		"naïve":                      "naïve",
		`a\b`:                        `a\\b`,
		"\x1b[31mred":                `\x1b[31mred`,
		"line\nbreak\ttab":           `line\x0abreak\x09tab`,
		"bad \xff utf8":              `bad \xff utf8`,
		`fake \xff`:                  `fake \\xff`,
		"left\u202eright":            `left\xe2\x80\xaeright`,
		"no-break\u00a0space":        `no-break\xc2\xa0space`,
		string(utf8.RuneError) + "!": string(utf8.RuneError) + "!",
	} {
		got := Text([]byte(name))
		if got != want {
			t.Errorf("Text(%q) = %q, want %q", name, got, want)
		}
		if again := Printable(got); again != got {
			t.Errorf("Printable(%q) = %q, want it unchanged", got, again)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\x1b", "a\\x1b")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := Text([]byte(a)), Text([]byte(b))
		for _, r := range x {
			if !unicode.IsPrint(r) {
				t.Errorf("Text(%q) = %q holds %q", a, x, r)
			}
		}
		cut := func(s string) string {
			for i := range len(s) {
				if s[i] == 0 {
					return s[:i]
				}
			}
			return s
		}
		if x == y && cut(a) != cut(b) {
			t.Errorf("Text makes %q of both %q and %q", x, a, b)
		}
	})
}
