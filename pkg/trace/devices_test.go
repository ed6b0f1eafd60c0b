// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestDeviceNames: the cells of a device have the name that any sample told, those that
// come later too, and no cell of another device has it.
func TestDeviceNames(t *testing.T) {
	n := newDeviceNamer()
	cell := func(netns uint32, index int) *event.Cell {
		c := &event.Cell{Netns: event.Netns{Inode: netns}, Device: event.Device{Index: index}}
		n.add(c)
		return c
	}
	sampled, bare, none := cell(7, 2), cell(7, 2), cell(7, 0)
	others := []*event.Cell{cell(7, 3), cell(8, 2)}
	n.name(sampled, "eth0")
	n.name(none, "lo")
	var again []*event.Cell
	n.take(func(c *event.Cell) { again = append(again, c) })
	if len(again) != 1 || again[0] != bare || bare.Device.Name != "eth0" || sampled.Device.Name != "eth0" {
		t.Errorf("%v named again, devices %q and %q", again, sampled.Device, bare.Device)
	}
	if late := cell(7, 2); late.Device.Name != "eth0" {
		t.Errorf("a later cell's device is %q", late.Device)
	}
	for _, c := range others {
		if c.Device.Name != "" {
			t.Errorf("device %q in %v", c.Device, c.Netns)
		}
	}
	n.name(bare, "eth1")
	n.forget(sampled)
	if n.take(func(c *event.Cell) { again = append(again, c) }); len(again) != 2 || sampled.Device.Name != "eth1" {
		t.Errorf("%d cells named again after one of two was forgotten, a device is %q", len(again)-1, sampled.Device)
	}
	for _, c := range append(others, bare, none) {
		n.forget(c)
	}
	if len(n.cells) != 1 || len(n.names) != 1 {
		t.Errorf("%d devices kept, %d names, want that of the later cell", len(n.cells), len(n.names))
	}
}
