// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// device is an interface and its state between readings.
type device struct {
	index      int32
	lower      int32
	kind       string
	loopback   bool
	address    string // hardware address, as bytes
	nativeXDP  bool
	name       string // as the kernel reports it
	text       string // name, escaped by event.Text
	asked      bool   // the driver was asked for the names of its statistics
	statistics statistics
	traffic    traffic
	turn       uint // of the last list that contains it
	origin     origin
	told       bool // its counters were reported before
}

// traffic is the packets and bytes received and sent. These never decrease while a device
// exists, unless the driver resets them when the device is brought up.
type traffic [4]uint64

func trafficOf(stats []byte) (t traffic) {
	for i := range t {
		if at := 8 * i; at+8 <= len(stats) {
			t[i] = binary.NativeEndian.Uint64(stats[at:])
		}
	}
	return t
}

// follows reports whether the traffic may be a later state of earlier: none of its counters is
// smaller.
func (t traffic) follows(earlier traffic) bool {
	for i := range t {
		if t[i] < earlier[i] {
			return false
		}
	}
	return true
}

// deviceTable holds the interfaces of a namespace, in the order of the last dump.
type deviceTable struct {
	byIndex map[int32]*device
	listed  []*device
	turn    uint      // number of the last list
	left    []*device // in the previous list, but not in the last one
	highest int32     // highest index of all lists
	before  int32     // highest before the last list
}

// begin starts a new list.
func (t *deviceTable) begin() { t.listed, t.turn = t.listed[:0], t.turn+1 }

// see adds an interface to the list. An index with another kind than before is a new device.
func (t *deviceTable) see(link linkMessage) *device {
	d := t.byIndex[link.index]
	if d == nil || d.kind != string(link.kind) {
		if t.byIndex == nil {
			t.byIndex = map[int32]*device{}
		}
		d = &device{index: link.index, kind: string(link.kind), loopback: link.flags&unix.IFF_LOOPBACK != 0}
		t.byIndex[link.index] = d
	}
	if d.name != string(link.name) {
		d.name, d.text = string(link.name), event.Text(link.name)
	}
	if d.address != string(link.address) {
		d.address = string(link.address)
	}
	d.lower, d.nativeXDP, d.traffic, d.turn = link.lower, link.native(), trafficOf(link.stats), t.turn
	t.listed = append(t.listed, d)
	return d
}

// end completes the list, and moves the devices that it does not contain to left.
func (t *deviceTable) end() {
	t.left, t.before = t.left[:0], t.highest
	for _, d := range t.listed {
		t.highest = max(t.highest, d.index)
	}
	if len(t.byIndex) == len(t.listed) {
		return
	}
	for index, d := range t.byIndex {
		if d.turn != t.turn {
			t.left = append(t.left, d)
			delete(t.byIndex, index)
		}
	}
}
