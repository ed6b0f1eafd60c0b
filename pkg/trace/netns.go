// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// netnsNamer names the namespaces of cells. It looks up an unnamed namespace again, because a
// namespace often gets its name after its first drops.
type netnsNamer struct {
	name    func(inode uint32) string
	unnamed map[uint32][]*event.Cell
}

func newNetnsNamer(name func(uint32) string) netnsNamer {
	return netnsNamer{name, map[uint32][]*event.Cell{}}
}

// of returns the namespace of a new cell.
func (n *netnsNamer) of(cell *event.Cell, inode uint32) event.Netns {
	netns := event.Netns{Inode: inode, Name: n.name(inode)}
	if inode != 0 && netns.Name == "" {
		n.unnamed[inode] = append(n.unnamed[inode], cell)
	}
	return netns
}

// forget removes a cell.
func (n *netnsNamer) forget(cell *event.Cell) {
	inode := cell.Netns.Inode
	rest := slices.DeleteFunc(n.unnamed[inode], func(c *event.Cell) bool { return c == cell })
	if n.unnamed[inode] = rest; len(rest) == 0 {
		delete(n.unnamed, inode)
	}
}

// again names the cells whose namespaces have got a name, and calls named with them.
func (n *netnsNamer) again(named func(*event.Cell)) {
	for inode, cells := range n.unnamed {
		name := n.name(inode)
		if name == "" {
			continue
		}
		delete(n.unnamed, inode)
		for _, cell := range cells {
			cell.Netns.Name = name
			named(cell)
		}
	}
}
