// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bytes"
	"io"
	"slices"
	"testing"
)

// The profiles of the benchmarks: a recording of drops on a busy node, and
// 100 000 unique stacks, 58 MB, 953 000 frames.
var benchProfiles = []struct {
	name string
	profile
}{
	{"typical", profile{stacks: 5_000, names: 600, depth: 16, fresh: 3, nameLen: 20}},
	{"big", profile{stacks: 100_000, names: 20_000, depth: 21, fresh: 9, nameLen: 23}},
}

func BenchmarkParse(b *testing.B) {
	for _, p := range benchProfiles {
		b.Run(p.name, func(b *testing.B) {
			in := p.folded()
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				parse(b, in)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for _, p := range benchProfiles {
		b.Run(p.name, func(b *testing.B) {
			in := p.folded()
			samples := parse(b, in)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				merge(b, samples)
			}
		})
	}
}

func BenchmarkWriteSVG(b *testing.B) {
	for _, p := range benchProfiles {
		b.Run(p.name, func(b *testing.B) {
			in := p.folded()
			g := merge(b, parse(b, in))
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				write(b, io.Discard, g)
			}
		})
	}
}

// BenchmarkAll goes from folded stacks to a picture.
func BenchmarkAll(b *testing.B) {
	for _, p := range benchProfiles {
		b.Run(p.name, func(b *testing.B) {
			in := p.folded()
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			var size count
			var g *Graph
			for b.Loop() {
				size = 0
				g = merge(b, parse(b, in))
				write(b, &size, g)
			}
			b.ReportMetric(float64(len(g.nodes)), "frames")
			b.ReportMetric(float64(size), "svg-bytes")
		})
	}
}

// count is a writer that counts bytes.
type count int

func (c *count) Write(p []byte) (int, error) {
	*c += count(len(p))
	return len(p), nil
}

func parse(tb testing.TB, folded []byte) []Sample {
	tb.Helper()
	f, err := Parse(bytes.NewReader(folded))
	if err != nil || f.Left > 0 {
		tb.Fatal(err, f)
	}
	return f.Samples
}

func merge(tb testing.TB, samples []Sample) *Graph {
	tb.Helper()
	g, err := New(slices.Values(samples))
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func write(tb testing.TB, w io.Writer, g *Graph) {
	tb.Helper()
	if err := g.WriteSVG(w, Options{Title: "Drops", Measures: []Measure{{Unit: "packets"}}}); err != nil {
		tb.Fatal(err)
	}
}
