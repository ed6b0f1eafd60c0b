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
	axes  []axis   // one for each column of the samples' values

	escapes bool // some names have characters that cannot be seen
}

// node is a frame below a certain path. Node 0 is the root, above which every
// sample lies; it has no name.
type node struct {
	name  uint32 // index in Graph.names
	depth uint32 // 0 for the root
	end   uint32 // index of the first node that is not a descendant
}

// axis has the values of one column side by side: node i covers start[i] to
// start[i]+total[i], its own value first and its children after it.
type axis struct{ start, total []uint64 }

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

// Total returns the sum of a column's values, column 0 being Sample.Value.
func (g *Graph) Total(column int) uint64 {
	if column >= len(g.axes) {
		return 0
	}
	return g.axes[column].total[0]
}

// shown returns how a name is written. Where all names can be seen as they are, a backslash
// cannot be taken for anything else; those of a program that escapes its names stay so.
func (g *Graph) shown(name uint32) string {
	if g.escapes {
		return distinct(g.names[name])
	}
	return g.names[name]
}

// empty tells whether there is nothing to draw by any column.
func (g *Graph) empty() bool {
	for column := range g.axes {
		if g.Total(column) > 0 {
			return false
		}
	}
	return true
}

// own returns the value of the samples that end in node i.
func (g *Graph) own(a axis, i int) uint64 {
	if uint32(i+1) == g.nodes[i].end {
		return a.total[i]
	}
	return a.start[i+1] - a.start[i]
}
