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

func (l limit) draws(value uint64, depth uint32) bool {
	return value > l.least || value == l.least && depth <= l.deepest
}

// layout returns the boxes to draw at pageWidth, in preorder.
func (v *view) layout(minShare float64) []box {
	const width = pageWidth - 2*margin
	pixels := max(narrowest, minShare*width)
	all := limit{least: v.total(), deepest: math.MaxUint32}
	if pixels < width {
		all.least = uint64(math.Ceil(pixels / width * float64(v.total())))
	}
	return v.scan(width, v.widest(all))
}

// widest narrows a limit down to the maxBoxes widest frames. Of equally wide ones it
// takes those closest to the root.
func (v *view) widest(l limit) limit {
	nodes, total := v.graph.nodes, v.axis.total
	var frames []uint32
	for i := uint32(0); i < uint32(len(nodes)); {
		if total[i] == 0 || !l.draws(total[i], nodes[i].depth) {
			i = nodes[i].end
			continue
		}
		frames = append(frames, i)
		i++
	}
	if len(frames) <= maxBoxes {
		return l
	}
	slices.SortFunc(frames, func(x, y uint32) int {
		return cmp.Or(cmp.Compare(total[y], total[x]), cmp.Compare(nodes[x].depth, nodes[y].depth))
	})
	// The first frame to be left out is at least one level up.
	out := frames[maxBoxes]
	return limit{least: total[out], deepest: nodes[out].depth - 1}
}

// scan returns boxes for the frames within a limit and for runs of others that
// are wide enough together.
func (v *view) scan(width float64, l limit) []box {
	nodes, start, total := v.graph.nodes, v.axis.start, v.axis.total
	scale := width / float64(v.total())
	var (
		boxes []box
		run   box
		edges []int // where the boxes that hold the next one end
	)
	add := func(b box) {
		n := nodes[b.node]
		b.left = hundredths(start[b.node], scale)
		end := hundredths(start[b.node]+b.value, scale)
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
	for i := 0; i < len(nodes); {
		n := nodes[i]
		switch {
		case total[i] == 0: // by this measure there is no such frame
			i = int(n.end)
			continue
		case l.draws(total[i], n.depth):
			flush()
			add(box{node: i, value: total[i]})
			i++
			continue
		case run.frames == 0 || nodes[run.node].depth != n.depth || float64(run.value)*scale >= longest:
			flush()
			run.node = i
		}
		run.frames, run.value = run.frames+1, run.value+total[i]
		i = int(n.end)
	}
	flush()
	return boxes
}

// hundredths returns where a value ends, in hundredths of a pixel.
func hundredths(value uint64, pixels float64) int {
	return int(float64(value)*pixels*100 + 0.5)
}
