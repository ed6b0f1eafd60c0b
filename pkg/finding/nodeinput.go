// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// nodeInput is an Input with its counters by name.
type nodeInput struct {
	Input
	changes map[event.CounterSource][]change // in the order of Counters
	named   map[event.Counter]change         // the same, as unnamed spells them
	claims  map[place]uint64                 // packets that findings explain
}

// change is what a counter did.
type change struct {
	event.Counter
	moved uint64 // in the interval
	total uint64
}

func newNode(in Input) *nodeInput {
	n := &nodeInput{Input: in, changes: map[event.CounterSource][]change{}, named: map[event.Counter]change{}, claims: map[place]uint64{}}
	for _, m := range in.Counters {
		if m.Gone {
			continue
		}
		c := change{m.Counter, m.Moved, m.Value}
		n.changes[m.Source] = append(n.changes[m.Source], c)
		n.named[unnamed(m.Counter)] = c
	}
	n.claimTraced()
	return n
}

// unnamed leaves out a namespace's name, which it may get at any time, and the index of a
// device, which is looked up by name.
func unnamed(c event.Counter) event.Counter {
	c.Netns.Name, c.Index = "", 0
	return c
}

// of returns the counters of a source that have one of these names.
func (n *nodeInput) of(source event.CounterSource, names ...string) []change {
	var some []change
	for _, c := range n.changes[source] {
		if slices.Contains(names, c.Name) {
			some = append(some, c)
		}
	}
	return some
}

// ofDevice returns a device's counter, zero if it has none of that name.
func (n *nodeInput) ofDevice(source event.CounterSource, ns node.Namespace, device, name string) change {
	return n.named[event.Counter{Source: source, Name: name, Netns: event.Netns{Inode: ns.Netns.Inode}, Device: device}]
}

// ofNamespace returns a namespace's counter, zero if it has none of that name.
func (n *nodeInput) ofNamespace(source event.CounterSource, ns node.Namespace, name string) change {
	return n.ofDevice(source, ns, "", name)
}

// machine adds up a counter of the whole machine over CPUs and tables.
func (n *nodeInput) machine(source event.CounterSource, name string) change {
	var sum change
	for _, c := range n.of(source, name) {
		sum.moved += c.moved
		sum.total += c.total
	}
	return sum
}

// perSecond is how often something happened in the interval.
func (n *nodeInput) perSecond(count uint64) float64 {
	if n.Elapsed <= 0 {
		return 0
	}
	return float64(count) / n.Elapsed.Seconds()
}
