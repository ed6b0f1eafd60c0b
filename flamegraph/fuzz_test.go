// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzFolded takes any bytes for folded stacks and checks what becomes of
// them: well-formed XML, boxes within boxes, and no value lost.
func FuzzFolded(f *testing.F) {
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
	f.Fuzz(func(t *testing.T, in []byte) {
		samples, _, err := Parse(bytes.NewReader(in))
		if err != nil {
			if !errors.Is(err, ErrUTF16) || samples != nil {
				t.Fatalf("error %v, samples %v", err, samples)
			}
			return
		}
		g, err := New(slices.Values(samples))
		if err != nil {
			t.Fatal(err)
		}
		total := uint64(0)
		stacks := make(map[string]uint64)
		for _, s := range samples {
			if s.Value > 0 {
				total += s.Value
				stacks[visiblePath(s.Stack)] += s.Value
			}
		}
		o := Options{Title: string(in), Subtitle: string(in), Unit: string(in[:min(len(in), 9)])}
		if len(in)%2 == 0 {
			o = layers()
		}
		if total == 0 {
			var out bytes.Buffer
			if err := g.WriteSVG(&out, o); !errors.Is(err, ErrEmpty) || out.Len() > 0 {
				t.Fatalf("error %v, %d bytes", err, out.Len())
			}
			return
		}
		svg := draw(t, g, o)
		for _, constant := range []string{script(), style} { // most of it, and read elsewhere
			svg = bytes.Replace(svg, []byte(constant), nil, 1)
		}
		p := readPicture(t, svg)
		checkNesting(t, p.rows())
		if !strings.HasPrefix(p.rows()[0].Rects[0].Title, "all\n"+formatCount(total)) {
			t.Errorf("total %d, drawn as %q", total, p.rows()[0].Rects[0].Title)
		}
		if len(p.stacks) != len(stacks) {
			t.Errorf("%d stacks, want %d", len(p.stacks), len(stacks))
		}
		for stack, value := range stacks {
			if p.stacks[stack] != value {
				t.Errorf("stack %q has %d, want %d", stack, p.stacks[stack], value)
			}
		}
	})
}

// visiblePath is a stack's key in picture.stacks. Frames may hold semicolons,
// but two stacks that differ get keys that differ except by those.
func visiblePath(stack []string) string {
	names := make([]string, len(stack))
	for i, s := range stack {
		names[i] = visible(s)
	}
	return strings.Join(names, ";")
}
