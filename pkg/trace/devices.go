// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// deviceNamer names the devices of cells. Only samples carry the name of a device, so
// deviceNamer copies it to all cells of the device, also to those whose samples were lost.
type deviceNamer struct {
	names map[event.DeviceID]string
	cells map[event.DeviceID][]*event.Cell
	named []*event.Cell // renamed since the last call of take
}

func newDeviceNamer() deviceNamer {
	return deviceNamer{names: map[event.DeviceID]string{}, cells: map[event.DeviceID][]*event.Cell{}}
}

// add adds a new cell, and names its device if a sample had the name.
func (n *deviceNamer) add(cell *event.Cell) {
	id := cell.DeviceID()
	if id.Index == 0 {
		return
	}
	n.cells[id] = append(n.cells[id], cell)
	cell.Device.Name = n.names[id]
}

// name sets the name of a cell's device.
func (n *deviceNamer) name(cell *event.Cell, name string) {
	if cell.Device.Name == name {
		return
	}
	cell.Device.Name = name
	id := cell.DeviceID()
	if id.Index == 0 {
		return
	}
	n.names[id] = name
	for _, c := range n.cells[id] {
		if c != cell {
			c.Device.Name = name
			n.named = append(n.named, c)
		}
	}
}

// take calls named with the cells that were renamed because of another cell's sample.
func (n *deviceNamer) take(named func(*event.Cell)) {
	for _, c := range n.named {
		named(c)
	}
	n.named = n.named[:0]
}

// forget removes a cell, and its device with the last cell.
func (n *deviceNamer) forget(cell *event.Cell) {
	n.named = slices.DeleteFunc(n.named, func(c *event.Cell) bool { return c == cell })
	id := cell.DeviceID()
	n.cells[id] = slices.DeleteFunc(n.cells[id], func(c *event.Cell) bool { return c == cell })
	if len(n.cells[id]) == 0 {
		delete(n.cells, id)
		delete(n.names, id)
	}
}
