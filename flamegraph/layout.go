// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"cmp"
	"math"
	"slices"
)

// box is a rectangle: a frame, or a run of siblings that are too narrow or too
// deep to be drawn alone. Lengths are in hundredths of a pixel.
type box struct {
	node        int // the frame, or the first of the run
	frames      int // how many siblings the run has, 0 for a frame
	left, width int
	value       uint64
}

// limit says which frames are drawn: those of more than least, and those of
// least that are not deeper than deepest. A frame's parents are then drawn too.
type limit struct {
	least   uint64
	deepest uint32
}

func (l limit) draws(n node) bool {
	return n.total > l.least || n.total == l.least && n.depth <= l.deepest
}

// layout returns the boxes to draw at pageWidth, in preorder.
func (g *Graph) layout(minShare float64) []box {
	const width = pageWidth - 2*margin
	pixels := max(narrowest, minShare*width)
	all := limit{least: g.Total(), deepest: math.MaxUint32}
	if pixels < width {
		all.least = uint64(math.Ceil(pixels / width * float64(g.Total())))
	}
	boxes := g.scan(width, all)
	if most, ok := g.widest(boxes); ok {
		boxes = g.scan(width, most)
	}
	return boxes
}

// widest returns a limit to the maxBoxes widest frames, if there are more. Of
// equally wide ones it takes those closest to the root.
func (g *Graph) widest(boxes []box) (limit, bool) {
	var frames []node
	for _, b := range boxes {
		if b.frames == 0 {
			frames = append(frames, g.nodes[b.node])
		}
	}
	if len(frames) <= maxBoxes {
		return limit{}, false
	}
	slices.SortFunc(frames, func(x, y node) int {
		return cmp.Or(cmp.Compare(y.total, x.total), cmp.Compare(x.depth, y.depth))
	})
	// The first frame to be left out is at least one level up.
	out := frames[maxBoxes]
	return limit{least: out.total, deepest: out.depth - 1}, true
}

// scan returns boxes for the frames within a limit and for runs of others that
// are wide enough together.
func (g *Graph) scan(width float64, l limit) []box {
	scale := width / float64(g.Total())
	var (
		boxes []box
		run   box
		edges []int // where the boxes that hold the next one end
	)
	add := func(b box) {
		n := g.nodes[b.node]
		b.left = hundredths(n.start, scale)
		end := hundredths(n.start+b.value, scale)
		if end-b.left >= 4*boxGap*100 {
			end -= boxGap * 100
		}
		edges = edges[:n.depth]
		if n.depth > 0 {
			end = min(end, edges[n.depth-1])
		}
		edges = append(edges, end)
		b.width = end - b.left
		boxes = append(boxes, b)
	}
	flush := func() {
		if run.frames > 0 && float64(run.value)*scale >= narrowest {
			add(run)
		}
		run = box{}
	}
	for i := 0; i < len(g.nodes); {
		n := g.nodes[i]
		if l.draws(n) {
			flush()
			add(box{node: i, value: n.total})
			i++
			continue
		}
		if run.frames == 0 || g.nodes[run.node].depth != n.depth || float64(run.value)*scale >= longest {
			flush()
			run.node = i
		}
		run.frames, run.value = run.frames+1, run.value+n.total
		i = int(n.end)
	}
	flush()
	return boxes
}

// hundredths returns where a value ends, in hundredths of a pixel.
func hundredths(value uint64, pixels float64) int {
	return int(float64(value)*pixels*100 + 0.5)
}
