// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// kind is a sort of frames that look alike. Shades have no name.
type kind struct {
	Name  string `json:"name"`
	Class string `json:"class"`
}

// palette says how frames are colored and explained, by their names and those of
// their parents.
type palette struct {
	kinds []kind
	looks []look   // those of a name side by side, names in byte order
	of    []uint32 // a node's look, as an index; that of the root means nothing
}

// look is a name with one way that frames of that name look.
type look struct {
	name  uint32 // index in Graph.names
	kind  uint32 // plus the number of kinds if it is muted
	facts []Fact
}

func (g *Graph) palette(o Options) palette {
	kinds, kindOf := o.kinds()
	b := paletteBuilder{graph: g, kindOf: kindOf, explain: o.Explain, looks: map[string]uint32{}}
	b.build()
	return palette{kinds, b.all, b.of}
}

// kinds returns the kinds there are, and how to tell that of a frame.
func (o Options) kinds() (kinds []kind, of func(frame, parent string) uint32) {
	if len(o.Categories) == 0 || o.CategoryOf == nil {
		for i := range shades {
			kinds = append(kinds, kind{Class: "h" + strconv.Itoa(i)})
		}
		return kinds, func(frame, _ string) uint32 { return shade(frame) }
	}
	index := make(map[string]uint32)
	for _, c := range append(o.Categories[:len(o.Categories):len(o.Categories)], Category{Name: other}) {
		if _, ok := index[c.Name]; !ok {
			index[c.Name] = uint32(len(kinds))
			kinds = append(kinds, kind{c.Name, c.Color.class()})
		}
	}
	return kinds, func(frame, parent string) uint32 {
		of, ok := index[o.CategoryOf(frame, parent)]
		if !ok {
			of = index[other]
		}
		if o.Muted != nil && o.Muted(frame, parent) {
			of += uint32(len(kinds))
		}
		return of
	}
}

// paletteBuilder finds the look of every node. It asks once for each name below another.
type paletteBuilder struct {
	graph   *Graph
	kindOf  func(frame, parent string) uint32
	explain func(frame, parent string) []Fact
	looks   map[string]uint32 // by all that they are made of
	all     []look
	of      []uint32
}

func (b *paletteBuilder) build() {
	pairs := make(map[[2]uint32]uint32)
	b.of = make([]uint32, len(b.graph.nodes))
	var path []uint32 // names, from the outermost frame
	for i, n := range b.graph.nodes[1:] {
		path = path[:n.depth-1]
		pair := [2]uint32{n.name}
		parent := ""
		if len(path) > 0 {
			pair[1] = path[len(path)-1] + 1
			parent = b.graph.names[path[len(path)-1]]
		}
		at, ok := pairs[pair]
		if !ok {
			at = b.look(n.name, parent)
			pairs[pair] = at
		}
		b.of[i+1] = at
		path = append(path, n.name)
	}
	b.sort()
}

func (b *paletteBuilder) look(name uint32, parent string) uint32 {
	l := look{name: name, kind: b.kindOf(b.graph.names[name], parent)}
	if b.explain != nil {
		l.facts = b.explain(b.graph.names[name], parent)
	}
	key := []string{strconv.Itoa(int(name)), strconv.Itoa(int(l.kind))}
	for _, fact := range l.facts {
		key = append(key, strconv.Itoa(len(fact.Term)), fact.Term, strconv.Itoa(len(fact.Text)), fact.Text)
	}
	id := strings.Join(key, " ")
	at, ok := b.looks[id]
	if !ok {
		at = uint32(len(b.all))
		b.looks[id] = at
		b.all = append(b.all, l)
	}
	return at
}

// sort brings the looks into the order of their names.
func (b *paletteBuilder) sort() {
	order := make([]uint32, len(b.all))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(x, y uint32) int { return cmp.Compare(b.all[x].name, b.all[y].name) })
	rank, sorted := make([]uint32, len(order)), make([]look, len(order))
	for r, at := range order {
		rank[at], sorted[r] = uint32(r), b.all[at]
	}
	b.all = sorted
	for i := range b.of[1:] {
		b.of[i+1] = rank[b.of[i+1]]
	}
}

// kind returns a node's kind.
func (p palette) kind(node int) uint32 { return p.looks[p.of[node]].kind % uint32(len(p.kinds)) }

// class returns the class of a node.
func (p palette) class(node int) string {
	class := p.kinds[p.kind(node)].Class
	if p.looks[p.of[node]].kind >= uint32(len(p.kinds)) {
		class += " muted"
	}
	return class
}

// categories returns the kinds that have names, and that of frames in none of
// the caller's categories, which comes last.
func (p palette) categories() ([]kind, uint32) {
	if p.kinds[0].Name == "" && len(p.kinds) == shades {
		return nil, 0
	}
	return p.kinds, uint32(len(p.kinds) - 1)
}
