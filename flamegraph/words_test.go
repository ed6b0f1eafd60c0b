// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDistinct(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "tcp_v4_rcv", "tcp_v4_rcv"},
		{"letters of the world", "größe 関数 ж", "größe 関数 ж"},
		{"escape character", "\x1b[31m", `\x1b[31m`},
		{"tab, newline, zero, delete", "\t\n\x00\x7f", `\x09\x0a\x00\x7f`},
		{"invalid UTF-8", "a\xffb\xc3", `a\xffb\xc3`},
		{"replacement character", "\ufffd", "\ufffd"},
		{"reordering", "a\u202eb", `a\u{202e}b`},
		{"not allowed in XML", "\ufffe\uffff", `\u{fffe}\u{ffff}`},
		{"no-break space", "a\u00a0b", `a\u{a0}b`},
		{"backslash", `App\Foo`, `App\Foo`},
		{"backslash like an escape", `\x1b`, `\\x1b`},
		{"backslash before an escape", "\\\x1b", `\\\x1b`},
		{"two backslashes", `\\a\b`, `\\\\a\\b`},
	}
	seen := make(map[string]string)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := distinct(tt.in)
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if first, ok := seen[got]; ok {
				t.Errorf("%q and %q look alike", first, tt.in)
			}
			seen[got] = tt.in
		})
	}
}

// TestVisible: words are escaped like names, and their backslashes left as they are.
func TestVisible(t *testing.T) {
	for in, want := range map[string]string{`\x1b`: `\x1b`, "\\\x1b": `\\x1b`, "a\u202eb": `a\u{202e}b`, `App\Foo`: `App\Foo`} {
		if got := visible(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

// TestShown: a backslash is doubled only beside names that are escaped.
func TestShown(t *testing.T) {
	for want, stack := range map[string][]string{
		`App\x1b[2J`: {`App\x1b[2J`, `größe\\`}, `App\\x1b[2J`: {`App\x1b[2J`, "\x1b"},
	} {
		g := merge(t, []Sample{{Stack: stack, Value: 1}})
		if got := g.shown(uint32(slices.Index(g.names, stack[0]))); got != want {
			t.Errorf("beside %q: got %s, want %s", stack[1], got, want)
		}
	}
}

func TestAppendXML(t *testing.T) {
	got := string(appendXML(nil, `<script>"a" && b]]></script>`))
	if want := "&lt;script&gt;&quot;a&quot; &amp;&amp; b]]&gt;&lt;/script&gt;"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFormatCount(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 12345678: "12,345,678", ^uint64(0): "18,446,744,073,709,551,615"} {
		if got := formatCount(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestFormatShare(t *testing.T) {
	tests := []struct {
		part, total uint64
		want        string
	}{
		{7, 7, "100%"},
		{1, 3, "33.33%"},
		{1, 32, "3.13%"}, // a half, away from zero
		{1, 1000, "0.10%"},
		{1, 1_000_000, "<0.01%"},
		{999_999, 1_000_000, ">99.99%"},
	}
	for _, tt := range tests {
		if got := formatShare(tt.part, tt.total); got != tt.want {
			t.Errorf("%d of %d: got %s, want %s", tt.part, tt.total, got, tt.want)
		}
	}
}

func TestFit(t *testing.T) {
	tests := []struct {
		in   string
		most int
		want string
	}{
		{"tcp_v4_rcv", 10, "tcp_v4_rcv"},
		{"tcp_v4_rcv", 9, "tcp_v4_r…"},
		{"größer", 6, "größer"},
		{"größer", 5, "größ…"},
		{"関数関数", 8, "関数関数"},
		{"関数関数", 7, "関数関…"},
	}
	for _, tt := range tests {
		if got := fit(tt.in, tt.most); got != tt.want {
			t.Errorf("%s in %d: got %s, want %s", tt.in, tt.most, got, tt.want)
		}
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
	}{
		{"nothing", " ", nil},
		{"fits", "one two", []string{"one two"}},
		{"between words", "one two three four", []string{"one two", "three four"}},
		{"within a word", "a " + strings.Repeat("x", 23) + " b", []string{"a", "xxxxxxxxxx", "xxxxxxxxxx", "xxx b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, wrap(tt.in, 10)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
