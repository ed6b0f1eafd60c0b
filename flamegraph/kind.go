// SPDX-License-Identifier: Apache-2.0

package flamegraph

import "strconv"

// kinds says how frames are coloured.
type kinds struct {
	categories []Category // empty if names alone decide
	class      []string   // of each kind
	of         []uint32   // a name's kind
}

func (g *Graph) kinds(o Options) kinds {
	k := kinds{of: make([]uint32, len(g.names))}
	if len(o.Categories) == 0 || o.CategoryOf == nil {
		for i := range shades {
			k.class = append(k.class, "h"+strconv.Itoa(i))
		}
		for i, name := range g.names {
			k.of[i] = shade(name)
		}
		return k
	}
	index := make(map[string]uint32)
	for _, c := range append(o.Categories[:len(o.Categories):len(o.Categories)], Category{Name: other}) {
		if _, ok := index[c.Name]; !ok {
			index[c.Name] = uint32(len(k.categories))
			k.categories = append(k.categories, c)
			k.class = append(k.class, c.Color.class())
		}
	}
	for i, name := range g.names {
		kind, ok := index[o.CategoryOf(name)]
		if !ok {
			kind = index[other]
		}
		k.of[i] = kind
	}
	return k
}

// covered returns for each kind the value of the stacks with at least one such
// frame; frames within frames of their own kind are not counted again.
func (g *Graph) covered(k kinds) []uint64 {
	sum := make([]uint64, len(k.class))
	until := make([]uint32, len(k.class)) // where the last counted frame ends
	for i, n := range g.nodes[1:] {
		if kind := k.of[n.name]; uint32(i+1) >= until[kind] {
			sum[kind] += n.total
			until[kind] = n.end
		}
	}
	return sum
}
