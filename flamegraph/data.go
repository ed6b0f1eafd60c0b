// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// writeData writes the whole tree: settings as JSON; the looks of names, most used
// first: the names, a line each, and their kinds, as indices of settings.Kinds; the stacks.
// A name is there as often as it has looks.
func (g *Graph) writeData(w *bufio.Writer, o Options, p palette) error {
	order, index := p.byUse()
	text, err := json.Marshal(newSettings(g, o, p, order)) // without < > &
	if err != nil {
		return fmt.Errorf("encode settings: %w", err)
	}
	fmt.Fprintf(w, "<metadata class=\"settings\">%s</metadata>\n", text)

	var names, kinds []byte
	for i, at := range order {
		if i > 0 {
			names = append(names, '\n')
		}
		names = appendXML(names, g.shown(p.looks[at].name))
		kinds = appendNumber(kinds, uint64(p.looks[at].kind))
	}
	fmt.Fprintf(w, "<metadata class=\"names\">%s</metadata>\n<metadata class=\"kinds\">%s</metadata>\n", names, kinds)

	fmt.Fprint(w, "<metadata class=\"stacks\">")
	g.writeStacks(w, func(node int) uint32 { return index[p.of[node]] })
	fmt.Fprintln(w, "</metadata>")
	return nil
}

// writeStacks writes each stack as how many frames to drop from the one
// before, how many to add, the indices of their looks, and its values.
func (g *Graph) writeStacks(w *bufio.Writer, look func(node int) uint32) {
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
		for k := range added {
			buf = appendNumber(buf, uint64(look(last+1+k)))
		}
		for _, value := range values {
			buf = appendNumber(buf, value)
		}
		w.Write(buf)
		last = i
	}
}

// byUse returns the looks, most used first, and the place of each in there.
func (p palette) byUse() (order, index []uint32) {
	uses := make([]int, len(p.looks))
	for _, at := range p.of[1:] {
		uses[at]++
	}
	order, index = make([]uint32, len(uses)), make([]uint32, len(uses))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(x, y uint32) int { return cmp.Compare(uses[y], uses[x]) })
	for i, at := range order {
		index[at] = uint32(i)
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
