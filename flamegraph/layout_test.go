// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// boxLines returns boxes as text.
func boxLines(g *Graph, boxes []box) []string {
	var lines []string
	for _, b := range boxes {
		name := rootName
		switch {
		case b.frames > 0:
			name = fmt.Sprintf("%d frames", b.frames)
		case b.node > 0:
			name = g.names[g.nodes[b.node].name]
		}
		lines = append(lines, fmt.Sprintf("%d %s: %d at %d.%02d wide %d.%02d", g.nodes[b.node].depth, name, b.value, b.left/100, b.left%100, b.width/100, b.width%100))
	}
	return lines
}

func TestLayout(t *testing.T) {
	tests := []struct {
		name, in string
		minShare float64
		want     []string
	}{
		{
			"own value comes before the children", "a 1\na;b 3\n", 0,
			[]string{"0 all: 4 at 0.00 wide 1175.00", "1 a: 4 at 0.00 wide 1175.00", "2 b: 3 at 294.00 wide 881.00"},
		},
		{
			// One of a million is far below a pixel, and so are two.
			"narrow frames", "a 500000\nb 1\nc 1\nz 499998\n", 0,
			[]string{"0 all: 1000000 at 0.00 wide 1175.00", "1 a: 500000 at 0.00 wide 587.00", "1 z: 499998 at 588.00 wide 587.00"},
		},
		{
			"a run of narrow frames", "a 9980\nb 10\nc 10\nd 10\nd;e 10\nz 9980\n", 0,
			[]string{"0 all: 20000 at 0.00 wide 1175.00", "1 a: 9980 at 0.00 wide 585.82", "1 3 frames: 40 at 586.82 wide 2.36", "1 z: 9980 at 589.18 wide 585.82"},
		},
		{
			"a least share", "a;x 5\na;y 40\nb 55\n", 0.1,
			[]string{"0 all: 100 at 0.00 wide 1175.00", "1 a: 45 at 0.00 wide 528.20", "2 1 frames: 5 at 0.00 wide 57.80", "2 y: 40 at 58.80 wide 469.40", "1 b: 55 at 529.20 wide 645.80"},
		},
		{
			// The gap of a wide frame is not bridged by a narrow one above.
			"narrow frame at the right edge", "a;x 996\na;y 4\nb 1000\n", 0,
			[]string{"0 all: 2000 at 0.00 wide 1175.00", "1 a: 1000 at 0.00 wide 587.00", "2 x: 996 at 0.00 wide 584.65", "2 y: 4 at 585.65 wide 1.35", "1 b: 1000 at 588.00 wide 587.00"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := merge(t, parse(t, []byte(tt.in)))
			if diff := cmp.Diff(tt.want, boxLines(g, whole(g).layout(tt.minShare))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLayoutDrawsNoMoreThanMaxBoxes(t *testing.T) {
	var wide, deep strings.Builder
	for i := range 580 {
		fmt.Fprintf(&wide, "%s;leaf%d 1\n", strings.Repeat(fmt.Sprintf("f%d;", i), 29), i)
	}
	for i := range 5 {
		fmt.Fprintf(&deep, "%sleaf%d 1\n", strings.Repeat(fmt.Sprintf("f%d;", i), 1999), i)
	}
	for name, in := range map[string]string{"wide": wide.String(), "deep": deep.String()} {
		t.Run(name, func(t *testing.T) {
			g := merge(t, parse(t, []byte(in)))
			boxes := whole(g).layout(0)
			if n := len(boxes) - runs(boxes); n > maxBoxes || n < maxBoxes*9/10 {
				t.Errorf("%d frames", n)
			}
			if last := boxes[len(boxes)-1]; last.frames == 0 {
				t.Errorf("no run in place of what is deeper: %+v", last)
			}
			checkNesting(t, readPicture(t, draw(t, g, Options{})).rows())
		})
	}
}

// runs returns how many boxes are runs.
func runs(boxes []box) int {
	n := 0
	for _, b := range boxes {
		n += min(b.frames, 1)
	}
	return n
}

// whole returns the view of a graph's first column.
func whole(g *Graph) *view { return &view{graph: g, palette: g.palette(Options{}), axis: g.axes[0]} }
