// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"cmp"
	"math/bits"
	"slices"
)

// builder collects samples and makes a tree of them.
type builder struct {
	ids    map[string]uint32 // name to its index in names
	names  []string          // in order of appearance, later in byte order
	frames []uint32          // the names of all stacks, one stack after another
	rows   []row
	total  uint64
}

// row is a sample: a part of frames and its value.
type row struct {
	from, to int
	value    uint64
}

func newBuilder() *builder { return &builder{ids: make(map[string]uint32)} }

func (b *builder) add(s Sample) error {
	total, carry := bits.Add64(b.total, s.Value, 0)
	if carry != 0 {
		return errTotal
	}
	if s.Value == 0 {
		return nil
	}
	b.total = total
	from := len(b.frames)
	for _, frame := range s.Stack {
		id, ok := b.ids[frame]
		if !ok {
			id = uint32(len(b.names))
			b.ids[frame] = id
			b.names = append(b.names, frame)
		}
		b.frames = append(b.frames, id)
	}
	b.rows = append(b.rows, row{from: from, to: len(b.frames), value: s.Value})
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
	g := &Graph{names: b.names, nodes: make([]node, 1, b.countNodes())}
	var (
		offset uint64
		last   []uint32
		open   = []int{0} // the path of last, from the root
	)
	closeTo := func(depth int) {
		for _, i := range open[depth:] {
			n := &g.nodes[i]
			n.total, n.end = offset-n.start, uint32(len(g.nodes))
		}
		open = open[:depth]
	}
	for _, r := range b.rows {
		stack := b.stack(r)
		same := sharedPrefix(stack, last)
		closeTo(same + 1)
		for _, name := range stack[same:] {
			n := node{start: offset, name: name, depth: uint32(len(open))}
			open = append(open, len(g.nodes))
			g.nodes = append(g.nodes, n)
		}
		offset += r.value
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
