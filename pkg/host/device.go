// SPDX-License-Identifier: Apache-2.0

//go:build linux

package host

import "github.com/dropwatch/dropwatch/pkg/event"

// device is an interface, and what is known of it from reading to reading.
type device struct {
	index      int32
	lower      int32
	kind       string
	nativeXDP  bool
	name       string // as the kernel spells it
	text       string // the same through event.Text
	asked      bool   // for the names of its driver's statistics
	statistics statistics
}

// deviceTable holds the interfaces of a namespace, in the order of the last list.
type deviceTable struct {
	byIndex map[int32]*device
	listed  []*device
}

// begin starts a new list.
func (t *deviceTable) begin() { t.listed = t.listed[:0] }

// see adds an interface to the list. A new one, or one with a new name, is made anew.
func (t *deviceTable) see(link linkMessage) *device {
	d := t.byIndex[link.index]
	if d == nil || d.name != string(link.name) {
		if t.byIndex == nil {
			t.byIndex = map[int32]*device{}
		}
		d = &device{index: link.index, name: string(link.name), text: event.Text(link.name)}
		t.byIndex[link.index] = d
	}
	d.lower, d.nativeXDP = link.lower, link.native()
	if d.kind != string(link.kind) {
		d.kind = event.Text(link.kind)
	}
	t.listed = append(t.listed, d)
	return d
}

// end forgets the interfaces that the list did not have.
func (t *deviceTable) end() {
	if len(t.byIndex) == len(t.listed) {
		return
	}
	clear(t.byIndex)
	for _, d := range t.listed {
		t.byIndex[d.index] = d
	}
}
