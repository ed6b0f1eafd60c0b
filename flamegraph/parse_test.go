// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	deep := strings.Repeat("f;", 1999) + "f"
	long := strings.Repeat("n", 10_000)
	tests := []struct {
		name     string
		in       string
		want     []Sample
		digits   int
		two      bool
		problems []string
	}{
		{name: "empty"},
		{name: "one stack", in: "a;b 12\n", want: []Sample{{Stack: []string{"a", "b"}, Value: 12}}},
		{name: "no newline at the end", in: "a 1\nb 2", want: []Sample{{Stack: []string{"a"}, Value: 1}, {Stack: []string{"b"}, Value: 2}}},
		{name: "CRLF", in: "a;b 1\r\nc 2\r\n", want: []Sample{{Stack: []string{"a", "b"}, Value: 1}, {Stack: []string{"c"}, Value: 2}}},
		{name: "blank lines", in: "\n \t\na 1\n\n", want: []Sample{{Stack: []string{"a"}, Value: 1}}},
		{name: "tab before the count", in: "a b;c\t7\n", want: []Sample{{Stack: []string{"a b", "c"}, Value: 7}}},
		{name: "space after the count", in: "a 7 \t\n", want: []Sample{{Stack: []string{"a"}, Value: 7}}},
		{name: "spaces in frames", in: "my app;do it 3\n", want: []Sample{{Stack: []string{"my app", "do it"}, Value: 3}}},
		{name: "control characters stay", in: "a\x1b[0m;b\tc 3\n", want: []Sample{{Stack: []string{"a\x1b[0m", "b\tc"}, Value: 3}}},
		{name: "invalid UTF-8 stays", in: "\xff;\xc3( 3\n", want: []Sample{{Stack: []string{"\xff", "\xc3("}, Value: 3}}},
		{name: "empty frames", in: ";a;;b; 4\n", want: []Sample{{Stack: []string{"", "a", "", "b", ""}, Value: 4}}},
		{name: "array types", in: "a;<[T; 4]>::map;[[u8; 2]; 3] 5\n", want: []Sample{{Stack: []string{"a", "<[T; 4]>::map", "[[u8; 2]; 3]"}, Value: 5}}},
		{name: "bracket never closed", in: "a[;  b;c 5\n", want: []Sample{{Stack: []string{"a[", "  b", "c"}, Value: 5}}},
		{name: "brackets without a space", in: "[a;b] 5\n", want: []Sample{{Stack: []string{"[a", "b]"}, Value: 5}}},
		{name: "comments", in: "# interval: 10000\n#\na 1\n#b 2\n", want: []Sample{{Stack: []string{"a"}, Value: 1}, {Stack: []string{"#b"}, Value: 2}}},
		{name: "byte order mark", in: "\xef\xbb\xbfa 1\n", want: []Sample{{Stack: []string{"a"}, Value: 1}}},
		{name: "zero", in: "a 0\n", want: []Sample{{Stack: []string{"a"}, Value: 0}}},
		{name: "fraction of zeros", in: "a 12.000\n", want: []Sample{{Stack: []string{"a"}, Value: 12}}},
		{name: "largest count", in: "a 18446744073709551615\n", want: []Sample{{Stack: []string{"a"}, Value: 18446744073709551615}}},
		{name: "2000 frames", in: deep + " 1\n", want: []Sample{{Stack: strings.Split(deep, ";"), Value: 1}}},
		{name: "long frame", in: long + " 1\n", want: []Sample{{Stack: []string{long}, Value: 1}}},
		{
			name:     "no count",
			in:       "a;b\na;b c\n12\nok 1\n",
			want:     []Sample{{Stack: []string{"ok"}, Value: 1}},
			problems: []string{`line 1: no count in "a;b"`, `line 2: no count in "a;b c"`, `line 3: no stack before the count in "12"`},
		},
		{
			name: "unusable counts",
			in:   "a .5\na -3\na 1e3\na 18446744073709551616\na inf\na 0x10\na .\na +1\na 1.5.2\na 1.5e3\nok 1\n",
			want: []Sample{{Stack: []string{"ok"}, Value: 1}},
			problems: []string{
				`line 1: no count in "a .5"`,
				`line 2: negative count in "a -3"`,
				`line 3: count with an exponent in "a 1e3"`,
				`line 4: count exceeds 18446744073709551615 in "a 18446744073709551616"`,
				`line 5: no count in "a inf"`,
				`line 6: no count in "a 0x10"`,
				`line 7: no count in "a ."`,
				`line 8: no count in "a +1"`,
				`line 9: no count in "a 1.5.2"`,
				`line 10: count with an exponent in "a 1.5e3"`,
			},
		},
		{
			name: "fractions", digits: 3,
			in: "a 0.25\nb 12.\nc 1.125\nd 3\n",
			want: []Sample{
				{Stack: []string{"a"}, Value: 250}, {Stack: []string{"b"}, Value: 12000},
				{Stack: []string{"c"}, Value: 1125}, {Stack: []string{"d"}, Value: 3000},
			},
		},
		{
			name: "more digits than are kept", digits: 9,
			in: "a 0.12345678949\nb 0.1234567895\nc 0.0000000001\n",
			want: []Sample{
				{Stack: []string{"a"}, Value: 123456789}, {Stack: []string{"b"}, Value: 123456790},
				{Stack: []string{"c"}, Value: 0},
			},
		},
		{
			name: "a fraction of a large total", digits: 1,
			in:   "a 800000000000000.25\nb 0.25\n",
			want: []Sample{{Stack: []string{"a"}, Value: 8000000000000003}, {Stack: []string{"b"}, Value: 3}},
		},
		{
			name: "a fraction of the largest total",
			in:   "a 18446744073709551614.5\n",
			want: []Sample{{Stack: []string{"a"}, Value: 18446744073709551615}},
		},
		{
			name: "two counts", two: true,
			in: "main;parse;strlen 10 25\nmain;parse;memcpy 8\t0\nmain;send 4 4\n",
			want: []Sample{
				{Stack: []string{"main", "parse", "strlen"}, Value: 25, More: []uint64{10, 25}},
				{Stack: []string{"main", "parse", "memcpy"}, Value: 8, More: []uint64{8, 0}},
				{Stack: []string{"main", "send"}, Value: 4, More: []uint64{4, 4}},
			},
		},
		{
			name: "two counts, one of them with a point", two: true, digits: 1,
			in:   "a b 1.5 2\n",
			want: []Sample{{Stack: []string{"a b"}, Value: 20, More: []uint64{15, 20}}},
		},
		{
			name: "one count where others have two", two: true,
			in: "a 1 2\nb 3\nc 4 5\nx y;6 7\nd 8 9\n",
			want: []Sample{
				{Stack: []string{"a"}, Value: 2, More: []uint64{1, 2}}, {Stack: []string{"c"}, Value: 5, More: []uint64{4, 5}},
				{Stack: []string{"d"}, Value: 9, More: []uint64{8, 9}},
			},
			problems: []string{`line 2: one count where others have two in "b 3"`, `line 4: one count where others have two in "x y;6 7"`},
		},
		{
			name: "names that end in a number",
			in:   "main;CPU 1 2\nmain;idle 3\nmain 4\n",
			want: []Sample{{Stack: []string{"main", "CPU 1"}, Value: 2}, {Stack: []string{"main", "idle"}, Value: 3}, {Stack: []string{"main"}, Value: 4}},
		},
		{
			name: "more problems than are kept",
			in:   strings.Repeat("x\n", 100) + "ok 1\n",
			want: []Sample{{Stack: []string{"ok"}, Value: 1}},
			problems: []string{
				`line 1: no count in "x"`, `line 2: no count in "x"`, `line 3: no count in "x"`, `line 4: no count in "x"`,
				`line 5: no count in "x"`, `line 6: no count in "x"`, `line 7: no count in "x"`, `line 8: no count in "x"`,
				`line 9: no count in "x"`, `line 10: no count in "x"`,
			},
		},
		{
			name:     "total too large",
			in:       "a 18446744073709551615\nb 1\nc 0\n",
			want:     []Sample{{Stack: []string{"a"}, Value: 18446744073709551615}, {Stack: []string{"c"}, Value: 0}},
			problems: []string{`line 2: total exceeds 18446744073709551615 in "b 1"`},
		},
		{
			name:     "long line in a message",
			in:       long + "\n",
			problems: []string{`line 1: no count in "` + long[:40] + `"…"` + long[:40] + `"`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if got.Digits != tt.digits || got.TwoCounts != tt.two {
				t.Errorf("%d digits, two counts %t, want %d, %t", got.Digits, got.TwoCounts, tt.digits, tt.two)
			}
			var problems []string
			for _, l := range got.Problems {
				problems = append(problems, l.Error())
			}
			if diff := cmp.Diff(tt.want, got.Samples); diff != "" {
				t.Errorf("samples (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.problems, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseLineLongerThanBuffer(t *testing.T) {
	stack := strings.Repeat("frame;", 100_000) + "last"
	got, err := Parse(strings.NewReader(stack + " 3\nb 1\n"))
	if err != nil || got.Left > 0 {
		t.Fatal(err, got.Problems)
	}
	want := []Sample{{Stack: strings.Split(stack, ";"), Value: 3}, {Stack: []string{"b"}, Value: 1}}
	if diff := cmp.Diff(want, got.Samples); diff != "" {
		t.Error(diff)
	}
}

func TestParseFails(t *testing.T) {
	broken := errors.New("broken disk")
	tests := []struct {
		name string
		in   io.Reader
		want error
	}{
		{"UTF-16, little endian", strings.NewReader("\xff\xfea\x00;\x00b\x00 \x001\x00"), ErrUTF16},
		{"UTF-16, big endian", strings.NewReader("\xfe\xff\x00a\x00;"), ErrUTF16},
		{"UTF-16 without a mark", strings.NewReader("a\x00;\x00b\x00 \x001\x00"), ErrUTF16},
		{"UTF-16 without a mark, big endian", strings.NewReader("\x00a\x00;\x00b"), ErrUTF16},
		{"two counts in half of the lines", strings.NewReader("a;b 1 2\na;c 3\n"), errTwoCounts},
		{"two counts that add up to too much", strings.NewReader("a 18446744073709551615 0\nb 0 1\n"), errTotal},
		{"read error at once", iotest.ErrReader(broken), broken},
		{"read error later", io.MultiReader(strings.NewReader("abcd 1\n"), iotest.ErrReader(broken)), broken},
		{"read error in a line", io.MultiReader(bytes.NewReader([]byte("abcd 1")), iotest.ErrReader(broken)), broken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folded, err := Parse(tt.in)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if folded != nil {
				t.Errorf("a result beside an error: %v", folded)
			}
		})
	}
}

func TestMostlyLeft(t *testing.T) {
	for in, want := range map[string]bool{
		"": false, "a 0\n": false, "a 1\nb 1\n": false, "# a\n\na 1\n": false,
		"a 1\nb\n": true, "a 1\nb 1\nc\n": false, "a 0\nb 0\nc\n": false, "a\n": true,
		"a 2\nb 1\nc -2\n": false, "a 1\nb 1\nc -2\n": true, "a 0.5\nb 0.5\nc -1\n": true,
	} {
		f, err := Parse(strings.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		if f.MostlyLeft() != want {
			t.Errorf("%q: %d lines left out, %d read, mostly left %t", in, f.Left, len(f.Samples), !want)
		}
	}
}

func TestLineErrorUnwrap(t *testing.T) {
	if err := error(LineError{Line: 3, Err: io.EOF}); !errors.Is(err, io.EOF) {
		t.Errorf("%v does not unwrap", err)
	}
}
