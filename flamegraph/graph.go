// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"errors"
	"fmt"
	"iter"
)

// ErrEmpty is returned for a graph without samples: there is nothing to draw.
var ErrEmpty = errors.New("no samples to draw")

// Graph is samples merged into a tree. It does not change once built and may
// be drawn by several goroutines at once.
type Graph struct {
	names []string // distinct frame names in byte order
	nodes []node   // in preorder, children in byte order of their names
}

// node is a frame below a certain path. Node 0 is the root, above which every
// sample lies; it has no name.
//
// Values lie side by side on one axis: a node covers [start, start+total), its
// own value first and its children after it.
type node struct {
	start, total uint64
	name         uint32 // index in Graph.names
	depth        uint32 // 0 for the root
	end          uint32 // index of the first node that is not a descendant
}

// New merges samples into a tree. Frames with equal paths become one, whatever
// else sorts between them. It fails if the total exceeds a uint64.
func New(samples iter.Seq[Sample]) (*Graph, error) {
	b := newBuilder()
	n := 0
	for s := range samples {
		n++
		if err := b.add(s); err != nil {
			return nil, fmt.Errorf("sample %d: %w", n, err)
		}
	}
	return b.graph(), nil
}

// Total returns the sum of all values.
func (g *Graph) Total() uint64 { return g.nodes[0].total }

// self returns the value of the samples that end in node i.
func (g *Graph) self(i int) uint64 {
	n := g.nodes[i]
	if uint32(i+1) == n.end {
		return n.total
	}
	return g.nodes[i+1].start - n.start
}
