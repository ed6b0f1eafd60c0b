// SPDX-License-Identifier: Apache-2.0

package flamegraph

import "strconv"

// kind is a sort of frames that look alike. Shades have no name.
type kind struct {
	Name  string `json:"name"`
	Class string `json:"class"`
}

// palette says how frames are coloured by their names.
type palette struct {
	kinds []kind
	of    []uint32 // a name's kind, plus the number of kinds if it is muted
}

func (g *Graph) palette(o Options) palette {
	p := palette{of: make([]uint32, len(g.names))}
	if len(o.Categories) == 0 || o.CategoryOf == nil {
		for i := range shades {
			p.kinds = append(p.kinds, kind{Class: "h" + strconv.Itoa(i)})
		}
		for i, name := range g.names {
			p.of[i] = shade(name)
		}
		return p
	}
	index := make(map[string]uint32)
	for _, c := range append(o.Categories[:len(o.Categories):len(o.Categories)], Category{Name: other}) {
		if _, ok := index[c.Name]; !ok {
			index[c.Name] = uint32(len(p.kinds))
			p.kinds = append(p.kinds, kind{c.Name, c.Color.class()})
		}
	}
	for i, name := range g.names {
		of, ok := index[o.CategoryOf(name)]
		if !ok {
			of = index[other]
		}
		if o.Muted != nil && o.Muted(name) {
			of += uint32(len(p.kinds))
		}
		p.of[i] = of
	}
	return p
}

// kind returns a name's kind.
func (p palette) kind(name uint32) uint32 { return p.of[name] % uint32(len(p.kinds)) }

// class returns the class of frames of that name.
func (p palette) class(name uint32) string {
	class := p.kinds[p.kind(name)].Class
	if p.of[name] >= uint32(len(p.kinds)) {
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
