// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzFolded takes any bytes for folded stacks: no line is two samples, and their total
// fits a number.
func FuzzFolded(f *testing.F) {
	addFolded(f)
	buffer := bufio.NewReaderSize(nil, 1<<18) // Parse uses one of that size
	f.Fuzz(func(t *testing.T, in []byte) {
		buffer.Reset(bytes.NewReader(in))
		folded, err := Parse(buffer)
		if err != nil {
			checkParseError(t, folded, err)
			return
		}
		if lines := bytes.Count(in, []byte("\n")) + 1; len(folded.Samples)+folded.Left > lines {
			t.Errorf("%d samples and %d problems of %d lines", len(folded.Samples), folded.Left, lines)
		}
		if told := min(folded.Left, mostProblems); len(folded.Problems) != told {
			t.Errorf("%d of %d problems are told, want %d", len(folded.Problems), folded.Left, told)
		}
		var total, carry uint64
		for _, s := range folded.Samples {
			if total, carry = bits.Add64(total, s.Value, 0); carry != 0 {
				t.Error("a total that no number holds")
			}
			if len(s.Stack) == 0 {
				t.Errorf("a sample of %d without a stack", s.Value)
			}
			if folded.TwoCounts != (len(s.More) == 2) || folded.TwoCounts && s.Value != slices.Max(s.More) {
				t.Errorf("a sample with the values %d and %d", s.Value, s.More)
			}
		}
		twice := &Folded{Samples: slices.Clone(folded.Samples), Digits: folded.Digits, TwoCounts: folded.TwoCounts}
		if err := twice.Add(folded); (err != nil) != (total > 1<<63-1) {
			t.Errorf("twice a total of %d: error %v", total, err)
		}
	})
}

// checkParseError checks what comes with an error.
func checkParseError(t *testing.T, folded *Folded, err error) {
	t.Helper()
	if folded != nil || !errors.Is(err, ErrUTF16) && !errors.Is(err, errTwoCounts) && !errors.Is(err, errTotal) {
		t.Fatalf("error %v, %+v", err, folded)
	}
}

// addFolded adds seeds of folded stacks.
func addFolded(f *testing.F) {
	f.Helper()
	for _, name := range []string{"drops.folded", "strange.folded"} {
		in, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(in)
	}
	f.Add([]byte("a 18446744073709551615\nb 1\n"))
	f.Add([]byte("a 9000000000000000000\na;b 9000000000000000000\nc 1\n"))
	f.Add([]byte("\xff\xfea\x00"))
	f.Add([]byte("NETFILTER_DROP 1\na;b 1000000\n"))
	f.Add([]byte("a;b 10 25\nc 8.5 0\nd 7\n"))
	f.Add([]byte("a 0.000000001\nb 1e9\nc 18446744073709551615.5\nd [x; 4]; 3\n"))
}

// FuzzPicture takes any bytes for folded stacks and checks what becomes of them:
// well-formed XML and HTML, boxes within boxes, and no value lost.
func FuzzPicture(f *testing.F) {
	addFolded(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		folded, err := Parse(bytes.NewReader(in))
		if err != nil {
			checkParseError(t, folded, err)
			return
		}
		samples := folded.Samples
		for i := range samples { // a second column, in which some are 0
			samples[i].More = []uint64{uint64(i * i % 7)}
		}
		g, err := New(slices.Values(samples))
		if err != nil {
			t.Fatal(err)
		}
		o := anyOptions(in)
		total := g.Total(o.measures()[o.Measure].Column)
		svg, html := written(t, g, o, total == 0)
		if total == 0 {
			return
		}
		p := readPicture(t, svg)
		checkNesting(t, p.rows())
		if !strings.HasPrefix(p.rows()[0].Rects[0].Title, "all\n"+formatCount(total)) {
			t.Errorf("total %d, drawn as %q", total, p.rows()[0].Rects[0].Title)
		}
		checkStacks(t, samples, p)
		checkStacks(t, samples, readPicture(t, svgOf(t, html)))
	})
}

// anyOptions returns options that depend on nothing but in.
func anyOptions(in []byte) Options {
	text := string(in)
	short := text[:min(len(text), 9)]
	switch len(in) % 4 {
	case 0:
		return layers()
	case 1:
		o := Options{Measures: []Measure{{Name: text, Change: &Change{From: 1, FromName: short, ToName: short}}, {Column: 1}}}
		o.Measure = len(in) / 4 % 2
		return o
	}
	return Options{
		Title: text, Subtitle: text, Measures: []Measure{{Unit: short}}, Icicle: len(in)%4 == 2,
		Explain: func(frame, _ string) []Fact { return []Fact{{frame, frame}} },
	}
}

// written returns a graph as SVG and as HTML, without what is the same in every
// file and read elsewhere. If there is nothing to draw it checks that there is
// an error and nothing else.
func written(t *testing.T, g *Graph, o Options, empty bool) (svg, html []byte) {
	t.Helper()
	var files [][]byte
	for _, write := range []func(io.Writer, Options) error{g.WriteSVG, g.WriteHTML} {
		var out bytes.Buffer
		switch err := write(&out, o); {
		case empty && (!errors.Is(err, ErrEmpty) || out.Len() > 0):
			t.Fatalf("error %v, %d bytes", err, out.Len())
		case !empty && err != nil:
			t.Fatal(err)
		}
		file := out.Bytes()
		for _, constant := range []string{script(), style} {
			file = bytes.Replace(file, []byte(constant), nil, 1)
		}
		files = append(files, file)
	}
	return files[0], files[1]
}

// checkStacks tells of values that a picture lacks, or has and should not.
func checkStacks(t *testing.T, samples []Sample, p picture) {
	t.Helper()
	stacks := make(map[string][]uint64)
	shown := shownIn(samples)
	for _, s := range samples {
		values := append([]uint64{s.Value}, s.More...)
		if slices.Max(values) == 0 {
			continue
		}
		path := visiblePath(shown, s.Stack)
		if stacks[path] == nil {
			stacks[path] = make([]uint64, len(values))
		}
		for i, v := range values {
			stacks[path][i] += v
		}
	}
	if diff := cmp.Diff(stacks, p.stacks); diff != "" {
		t.Errorf("stacks (-want +got):\n%s", diff)
	}
}

// visiblePath is a stack's key in picture.stacks. Frames may hold semicolons,
// but two stacks that differ get keys that differ except by those.
func visiblePath(shown func(string) string, stack []string) string {
	names := make([]string, len(stack))
	for i, s := range stack {
		names[i] = shown(s)
	}
	return strings.Join(names, ";")
}

// shownIn returns how the names of samples are written: as they are if none is escaped.
func shownIn(samples []Sample) func(string) string {
	for _, s := range samples {
		if !nothing(s) && slices.ContainsFunc(s.Stack, func(name string) bool { return !printable(name) }) {
			return distinct
		}
	}
	return func(name string) string { return name }
}

// nothing reports whether a sample is left out.
func nothing(s Sample) bool { return s.Value == 0 && (len(s.More) == 0 || slices.Max(s.More) == 0) }
