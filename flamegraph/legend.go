// SPDX-License-Identifier: Apache-2.0

package flamegraph

// key is an entry of the legend.
type key struct {
	kind  int
	class string
	label string
	share string
	x, y  int
}

// keyText is from a key's left end to its text.
const keyText = 17

// legend places a key for each kind that occurs, from y on.
func (v *view) legend(y int) []key {
	kinds, ends := v.ends()
	var keys []key
	x := margin
	for i, value := range ends {
		if value == 0 {
			continue
		}
		label := visible(kinds[i].Name)
		share := formatShare(value, v.total())
		width := keyText + int(float64(letters(label)+1+letters(share))*smallLetter)
		if x > margin && x+width > pageWidth-margin {
			x, y = margin, y+keyHeight
		}
		keys = append(keys, key{kind: i, class: kinds[i].Class, label: label, share: share, x: x, y: y})
		x += width + keySpace
	}
	return keys
}

// ends returns the kinds of the legend and for each the value of the stacks
// that belong to it, which add up to the total. A stack belongs to the category
// of its innermost frame that is in one, or to the kind of its own change.
func (v *view) ends() ([]kind, []uint64) {
	if v.measure.Change != nil {
		sum := make([]uint64, len(changeKinds))
		for i := range v.graph.nodes {
			sum[v.ownChange(i)] += v.graph.own(v.axis, i)
		}
		return changeKinds, sum
	}
	kinds, none := v.palette.categories()
	sum := make([]uint64, len(kinds))
	if len(kinds) == 0 {
		return nil, nil
	}
	within := []uint32{none} // by depth: what stacks belong to so far
	sum[none] = v.graph.own(v.axis, 0)
	for i, n := range v.graph.nodes[1:] {
		kind := v.palette.kind(i + 1)
		if kind == none {
			kind = within[n.depth-1]
		}
		within = append(within[:n.depth], kind)
		sum[kind] += v.graph.own(v.axis, i+1)
	}
	return kinds, sum
}
