// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// writeData writes the whole tree: settings as JSON; the names, most used
// first, a line each; their kinds, as indices of settings.Kinds; the stacks.
func (g *Graph) writeData(w *bufio.Writer, o Options, p palette) error {
	order, index := g.byUse()
	text, err := json.Marshal(newSettings(g, o, p, order)) // without < > &
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	fmt.Fprintf(w, "<metadata class=\"settings\">%s</metadata>\n", text)

	var names, kinds []byte
	for i, name := range order {
		if i > 0 {
			names = append(names, '\n')
		}
		names = appendXML(names, visible(g.names[name]))
		kinds = appendNumber(kinds, uint64(p.of[name]))
	}
	fmt.Fprintf(w, "<metadata class=\"names\">%s</metadata>\n<metadata class=\"kinds\">%s</metadata>\n", names, kinds)

	fmt.Fprint(w, "<metadata class=\"stacks\">")
	g.writeStacks(w, index)
	fmt.Fprintln(w, "</metadata>")
	return nil
}

// writeStacks writes each stack as how many frames to drop from the one
// before, how many to add, the indices of their names, and its values.
func (g *Graph) writeStacks(w *bufio.Writer, index []uint32) {
	var buf []byte
	values := make([]uint64, len(g.axes))
	last := 0
	for i := range g.nodes {
		some := uint64(0)
		for column, a := range g.axes {
			values[column] = g.own(a, i)
			some |= values[column]
		}
		if some == 0 {
			continue
		}
		added := g.nodes[last+1 : i+1] // one path, below a frame of the last stack
		drop := uint32(0)
		if len(added) > 0 {
			drop = g.nodes[last].depth + 1 - added[0].depth
		}
		buf = appendNumber(buf[:0], uint64(drop))
		buf = appendNumber(buf, uint64(len(added)))
		for _, n := range added {
			buf = appendNumber(buf, uint64(index[n.name]))
		}
		for _, value := range values {
			buf = appendNumber(buf, value)
		}
		w.Write(buf)
		last = i
	}
}

// byUse returns the names, most used first, and the place of each in there.
func (g *Graph) byUse() (order, index []uint32) {
	uses := make([]int, len(g.names))
	for _, n := range g.nodes[1:] {
		uses[n.name]++
	}
	order, index = make([]uint32, len(uses)), make([]uint32, len(uses))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(x, y uint32) int { return cmp.Compare(uses[y], uses[x]) })
	for i, name := range order {
		index[name] = uint32(i)
	}
	return order, index
}

// appendNumber appends a number to the base of 32, lowest digit first, in
// characters that XML leaves alone: the last digit counts from '?', those
// before it from '_'.
func appendNumber(dst []byte, n uint64) []byte {
	for ; n >= 32; n >>= 5 {
		dst = append(dst, '_'+byte(n&31))
	}
	return append(dst, '?'+byte(n))
}
