// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// builder collects samples and makes a tree of them.
type builder struct {
	ids    map[string]uint32 // name to its index in names
	names  []string          // in order of appearance, later in byte order
	frames []uint32          // the names of all stacks, one stack after another
	rows   []row
	values []uint64 // of all rows, the columns of one row after another
	totals []uint64 // of each column
}

// row is a sample: a part of frames, and where its values are.
type row struct{ from, to, values int }

func newBuilder() *builder { return &builder{ids: make(map[string]uint32)} }

func (b *builder) add(s Sample) error {
	if b.totals == nil {
		b.totals = make([]uint64, 1+len(s.More))
	}
	if have, want := 1+len(s.More), len(b.totals); have != want {
		return fmt.Errorf("%d values, not %d as before", have, want)
	}
	some := s.Value
	for _, v := range s.More {
		some |= v
	}
	if some == 0 {
		return nil
	}
	r := row{from: len(b.frames), values: len(b.values)}
	b.values = append(append(b.values, s.Value), s.More...)
	for column, value := range b.values[r.values:] {
		total, carry := bits.Add64(b.totals[column], value, 0)
		if carry != 0 {
			return errTotal
		}
		b.totals[column] = total
	}
	for _, frame := range s.Stack {
		id, ok := b.ids[frame]
		if !ok {
			id = uint32(len(b.names))
			b.ids[frame] = id
			b.names = append(b.names, frame)
		}
		b.frames = append(b.frames, id)
	}
	r.to = len(b.frames)
	b.rows = append(b.rows, r)
	return nil
}

// stack returns the names of a sample's frames, root first.
func (b *builder) stack(r row) []uint32 { return b.frames[r.from:r.to] }

// graph returns the tree. The builder must not be used afterwards.
func (b *builder) graph() *Graph {
	b.sortNames()
	// Frame by frame, not as text: a stack is followed by all that it begins,
	// so that each path is met once.
	slices.SortFunc(b.rows, func(x, y row) int { return slices.Compare(b.stack(x), b.stack(y)) })
	size := b.countNodes()
	g := &Graph{names: b.names, nodes: make([]node, 1, size), axes: make([]axis, max(1, len(b.totals)))}
	g.escapes = slices.ContainsFunc(b.names, func(name string) bool { return !printable(name) })
	for column := range g.axes {
		g.axes[column] = axis{start: make([]uint64, size), total: make([]uint64, size)}
	}
	var (
		offsets = make([]uint64, len(b.totals))
		last    []uint32
		open    = []int{0} // the path of last, from the root
	)
	closeTo := func(depth int) {
		for _, i := range open[depth:] {
			g.nodes[i].end = uint32(len(g.nodes))
			for column, offset := range offsets {
				a := g.axes[column]
				a.total[i] = offset - a.start[i]
			}
		}
		open = open[:depth]
	}
	for _, r := range b.rows {
		stack := b.stack(r)
		same := sharedPrefix(stack, last)
		closeTo(same + 1)
		for _, name := range stack[same:] {
			i := len(g.nodes)
			for column, offset := range offsets {
				g.axes[column].start[i] = offset
			}
			g.nodes = append(g.nodes, node{name: name, depth: uint32(len(open))})
			open = append(open, i)
		}
		for column := range offsets {
			offsets[column] += b.values[r.values+column]
		}
		last = stack
	}
	closeTo(0)
	return g
}

// countNodes returns the size of the tree, whose rows are sorted.
func (b *builder) countNodes() int {
	n := 1
	var last []uint32
	for _, r := range b.rows {
		stack := b.stack(r)
		n += len(stack) - sharedPrefix(stack, last)
		last = stack
	}
	return n
}

// sharedPrefix returns how many frames two stacks begin with alike.
func sharedPrefix(x, y []uint32) int {
	n := 0
	for n < min(len(x), len(y)) && x[n] == y[n] {
		n++
	}
	return n
}

// sortNames brings the names into byte order and the frames' indices in line.
func (b *builder) sortNames() {
	order := make([]uint32, len(b.names))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return cmp.Compare(b.names[x], b.names[y]) })
	rank, names := make([]uint32, len(order)), make([]string, len(order))
	for r, id := range order {
		rank[id], names[r] = uint32(r), b.names[id]
	}
	b.names = names
	for i, id := range b.frames {
		b.frames[i] = rank[id]
	}
}
