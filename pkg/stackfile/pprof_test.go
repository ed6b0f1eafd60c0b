// SPDX-License-Identifier: Apache-2.0

package stackfile

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"
)

// labeled is a profile whose samples have labels, some of them that of a base.
func labeled() *profile.Profile {
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "calls", Unit: "count"}}}
	p.Function = []*profile.Function{{ID: 1, Name: "f", SystemName: "f"}}
	p.Location = []*profile.Location{{ID: 1, Line: []profile.Line{{Function: p.Function[0]}}}}
	for i, label := range []map[string][]string{nil, {"k": {"v"}}, {baseLabel: {"true"}}, {"k": {"w"}, baseLabel: {"true"}}} {
		p.Sample = append(p.Sample, &profile.Sample{
			Location: p.Location, Value: []int64{int64(i + 1)}, Label: label, NumLabel: map[string][]int64{"bytes": {64}},
		})
	}
	return p
}

func TestPProfLabels(t *testing.T) {
	var b bytes.Buffer
	if err := labeled().Write(&b); err != nil {
		t.Fatal(err)
	}
	f, err := Open(&b)
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.PProf()
	if err != nil {
		t.Fatal(err)
	}
	var values []int64
	var bases []bool
	for _, s := range p.Sample {
		values, bases = append(values, s.Value...), append(bases, IsBase(s))
		if len(s.NumLabel) > 0 || len(s.Label["k"]) > 0 || s.Location[0].Line[0].Function.Name != "f" {
			t.Errorf("sample %+v", s)
		}
	}
	if !slices.Equal(values, []int64{1, 2, 3, 4}) || !slices.Equal(bases, []bool{false, false, true, true}) {
		t.Errorf("values %d, of the base %t", values, bases)
	}
}

// TestCutProfile cuts a profile within each field behind the second.
func TestCutProfile(t *testing.T) {
	p := labeled()
	var b bytes.Buffer
	if err := p.WriteUncompressed(&b); err != nil {
		t.Fatal(err)
	}
	whole := b.String()
	if got := readProfile(t, whole); !strings.Contains(got, "calls/count") {
		t.Fatalf("profile %s", got)
	}
	fields := 0
	for rest := b.Bytes(); len(rest) > 0; fields++ {
		_, after, _, ok := next(rest)
		if !ok {
			t.Fatalf("field %d of %q", fields, whole)
		}
		for n := len(whole) - len(rest) + 1; fields > 1 && n < len(whole)-len(after); n++ {
			for _, content := range []string{whole[:n], packed(t, gzipPacking, whole[:n])} {
				if f, err := Open(strings.NewReader(content)); !errors.Is(err, errCut) || f != nil {
					t.Errorf("%d bytes: file %v, error %v", n, f, err)
				}
			}
		}
		rest = after
	}
	if fields < 5 {
		t.Errorf("%d fields", fields)
	}
	// One that ends with a field lacks strings.
	f, err := Open(strings.NewReader(whole[:strings.Index(whole, "\x05calls")-1]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.PProf(); err == nil || err.Error() != "parsing profile: malformed profile format" {
		t.Errorf("error %v", err)
	}
	// One larger than what is looked at is told when it is read.
	for i := range 50_000 {
		p.Comments = append(p.Comments, strconv.Itoa(i))
	}
	b.Reset()
	if err := p.WriteUncompressed(&b); err != nil {
		t.Fatal(err)
	}
	f, err = Open(bytes.NewReader(b.Bytes()[:b.Len()-1]))
	if err != nil || b.Len() < headSize {
		t.Fatalf("%d bytes, error %v", b.Len(), err)
	}
	if _, err := f.PProf(); !errors.Is(err, errCut) {
		t.Errorf("error %v", err)
	}
	if got := readProfile(t, b.String()); !strings.Contains(got, "calls/count") {
		t.Errorf("profile %s", got)
	}
}

// TestWithoutMappings cuts off what pprof would substitute variables in: 40 lines that
// double each time, and as many assignments as fit.
func TestWithoutMappings(t *testing.T) {
	var doubling strings.Builder
	doubling.WriteString("a=x\n")
	for range 40 {
		doubling.WriteString("a=$a$a\n")
	}
	cpu := string(wordsOf(0, 3, 0, 10_000, 0, 7, 2, 0x401000, 0x402001, 0, 1, 0))
	for name, start := range map[string]string{
		"heap":       "heap profile: 1: 128 [2: 256] @ heap/1048576\n1: 128 [2: 256] @ 0x47c08c\n--- Memory map: ---\n",
		"contention": "--- contentionz 1 ---\n  31245 12 @ 0x401001\n--- Memory map: ---\n",
		"threads":    "--- threadz 1 ---\n\n--- Thread 7f01 (name: main/1) stack: ---\n  0x401000: poll\n--- Memory map: ---\n",
		"CPU time":   cpu,
	} {
		for what, bomb := range map[string]string{"doubling": doubling.String(), "many": strings.Repeat("b=1\n", 1<<17)} {
			t.Run(name+" "+what, func(t *testing.T) {
				f, err := Open(strings.NewReader(start + bomb))
				if err != nil {
					t.Fatal(err)
				}
				p, err := f.PProf()
				if err != nil || len(p.Sample) != 1 {
					t.Fatalf("profile %v, error %v", p, err)
				}
			})
		}
	}
}

func wordsOf(words ...uint32) []byte {
	var b []byte
	for _, w := range words {
		b = append(b, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
	}
	return b
}

func TestNameByComments(t *testing.T) {
	f, err := Open(strings.NewReader("goroutine profile: total 3\n2 @ 0x11 0x21\n" +
		"#\t0x10\tmain.inlined+0x1\t/m.go:1\n#\t0x10\tmain.f[...]+0x9\t/m.go:2\n#\t0x20\tmain.main+0x5\t\t/m.go:9\n\n" +
		"1 @ 0x11 0x31\n#\t0x10\tmain.inlined+0x1\t/m.go:1\n#\t0x10\tmain.f[...]+0x9\t/m.go:2\n\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.PProf()
	if err != nil {
		t.Fatal(err)
	}
	names := map[uint64][]string{}
	for _, l := range p.Location {
		for _, line := range l.Line {
			names[l.Address] = append(names[l.Address], line.Function.Name)
		}
	}
	want := map[uint64][]string{0x10: {"main.inlined", "main.f[...]"}, 0x20: {"main.main"}}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := p.CheckValid(); err != nil {
		t.Error(err)
	}
}

// TestLineEnds reads text profiles whose lines end otherwise like those that Go writes.
func TestLineEnds(t *testing.T) {
	const function = "#\t0x10\tmain.f+0x1\t/m.go:1\n"
	for name, text := range map[string]string{
		"goroutines":     "goroutine profile: total 3\n3 @ 0x11 0x21\n" + function,
		"one record":     "goroutine profile: total 3\n3 @ 0x11 0x21\n",
		"after comments": "# a\n\nthreadcreate profile: total 3\n\n# b\n3 @ 0x11\n",
		"mutexes":        "--- mutex:\ncycles/second=1000000000\nsampling period=1\n3 1 @ 0x11 0x21\n" + function,
		"contention":     "--- contention:\ncycles/second=1000000000\n3 1 @ 0x11 0x21\n" + function,
		"contentionz":    "--- contentionz 1 ---\nsampling period = 1\n3 1 @ 0x11 0x21\n",
		"heap":           "heap profile: 1: 8 [1: 8] @ heap/1\n1: 8 [1: 8] @ 0x11 0x21\n" + function,
		"threads":        "--- threadz 1 ---\n\n--- Thread 7f01 (name: main/1) stack: ---\n  0x11: poll\n--- Memory map: ---\n",
	} {
		t.Run(name, func(t *testing.T) {
			want := readProfile(t, text)
			if !strings.Contains(want, ": 0x1") {
				t.Fatalf("profile %s", want)
			}
			crlf := strings.ReplaceAll(text, "\n", "\r\n")
			for _, other := range []string{strings.TrimSuffix(text, "\n"), crlf, strings.TrimSuffix(crlf, "\r\n")} {
				if diff := cmp.Diff(want, readProfile(t, other)); diff != "" {
					t.Errorf("%q: -want +got:\n%s", other, diff)
				}
			}
		})
	}
}

// readProfile returns all that is in a profile.
func readProfile(t *testing.T, text string) string {
	t.Helper()
	f, err := Open(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if f.Kind != Profile {
		t.Fatalf("%q is %s", text, f.Kind)
	}
	p, err := f.PProf()
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return p.String()
}

// TestLargeProfiles holds a megabyte each of parts that take much more in memory.
func TestLargeProfiles(t *testing.T) {
	const calls = "\x0a\x04\x08\x01\x10\x01\x32\x00\x32\x01c"
	for name, part := range map[string]string{
		"samples":   "\x12\x02\x12\x00",
		"locations": "\x22\x00",
		"functions": "\x2a\x00",
		"lines":     "\x22\x80\x01" + strings.Repeat("\x22\x00", 64),
		"mappings":  "\x1a\x00",
	} {
		t.Run(name, func(t *testing.T) {
			text := calls + strings.Repeat(part, (1<<20)/len(part))
			f, err := Open(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			before := allocated()
			if p, err := f.PProf(); err == nil {
				t.Errorf("%d samples", len(p.Sample))
			}
			if bytes := allocated() - before; bytes > 256<<20 {
				t.Errorf("%d bytes were allocated", bytes)
			}
			f, err = Open(strings.NewReader(packed(t, gzipPacking, text+strings.Repeat(part, (5<<20)/len(part)))))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.PProf(); !errors.Is(err, errLarge) && !errors.Is(err, errBomb) {
				t.Errorf("error %v", err)
			}
		})
	}
}
