// SPDX-License-Identifier: Apache-2.0

package flamegraph

// view is a graph by one of its measures.
type view struct {
	graph   *Graph
	palette palette
	measure Measure
	axis    axis // the measure's
}

func (v *view) total() uint64 { return v.axis.total[0] }

// class returns the look of a node other than the root.
func (v *view) class(node int) string {
	if c := v.measure.Change; c != nil {
		return changeKinds[c.kind(v.changed(node))].Class
	}
	return v.palette.class(node)
}

// changed returns a node's values in the columns that are compared.
func (v *view) changed(node int) (from, to uint64) {
	c := v.measure.Change
	return v.graph.axes[c.From].total[node], v.graph.axes[c.To].total[node]
}

// ownChange returns how the samples that end in a node changed.
func (v *view) ownChange(node int) uint32 {
	c := v.measure.Change
	return c.kind(v.graph.own(v.graph.axes[c.From], node), v.graph.own(v.graph.axes[c.To], node))
}

// amount returns a value with its unit and its share of the total.
func (v *view) amount(value uint64) string {
	return v.measure.amount(value) + ", " + formatShare(value, v.total())
}
