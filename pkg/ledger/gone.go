// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"iter"
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// maxGone is how many cells and devices are kept apart that are gone: as many as
// event.Meter keeps counters.
const maxGone = 1 << 10

// goneDevice is what event.Meter adds devices up to that are gone.
var goneDevice = event.NewDeviceID(event.Netns{}, 0, event.GoneDevices)

// Gone returns a cell that stands for all that are like another but for their device and
// namespace, which are gone.
func Gone(cell *event.Cell) *event.Cell { return withoutPlace(cell, true, true) }

func withoutPlace(cell *event.Cell, device, netns bool) *event.Cell {
	gone := *cell
	gone.ID = 0
	if device && cell.Device != (event.Device{}) {
		gone.Device = event.Device{Name: event.GoneDevices}
	}
	if netns && cell.Netns != (event.Netns{}) {
		gone.Netns = event.Netns{Name: event.GoneDevices}
	}
	return &gone
}

// leave adds up what cells counted that are gone and are alike.
func (b *Book) leave(cells []*event.Cell) {
	for _, cell := range cells {
		t := b.cells[cell]
		switch {
		case t == nil || cell.Overflow:
		case t.part:
			delete(b.cells, cell)
		default:
			if first := b.join(cell, cell); first != nil {
				b.gone = append(b.gone, first)
			}
		}
	}
	if len(b.gone) > max(maxGone, b.foldNext) {
		b.fold()
		b.foldNext = len(b.gone) + maxGone/2
	}
}

// sort is what cells have in common that are alike.
type sort struct {
	event.Cell
	at event.Frame
}

func sortOf(cell *event.Cell) sort {
	k := sort{Cell: *cell}
	k.ID, k.Location = 0, nil
	if cell.Location != nil {
		k.at = *cell.Location
		k.at.ID = 0
	}
	return k
}

// join adds what a cell counted to what others did that are like another cell, and returns
// that one if it is the first of them, else nil.
func (b *Book) join(cell, like *event.Cell) (first *event.Cell) {
	t := b.cells[cell]
	key := sortOf(like)
	to := b.alike[key]
	if to == nil {
		delete(b.cells, cell)
		b.alike[key], b.cells[like] = like, t
		return like
	}
	if to != cell {
		b.settle(t)
		b.settle(b.cells[to])
		b.cells[to].add(t)
		delete(b.cells, cell)
	}
	return nil
}

// add adds what another cell counted that is gone. The bounds of both are up to date.
func (t *tally) add(other *tally) {
	tick := max(t.tick, other.tick)
	t.last, t.tick = t.before(tick)+other.before(tick), tick
	t.all += other.all
	t.first = bounds{t.first.least + other.first.least, t.first.most + other.first.most}
	t.end = bounds{t.end.least + other.end.least, t.end.most + other.end.most}
}

// fold adds up, by reason and function, cells whose device or namespace has no counter of its
// own any more. It keeps 2*maxGone cells at most, the latest.
func (b *Book) fold() {
	netns, devices := b.apart(slices.Values(b.gone))
	kept := b.gone[:0]
	for i, cell := range b.gone {
		far := len(b.gone)-i > 2*maxGone
		device := far || !devices[cell.DeviceID()] && !devices[event.NewDeviceID(cell.Netns, 0, cell.Device.Name)]
		like := withoutPlace(cell, device, far || !netns[cell.Netns.Inode])
		if like.Device == cell.Device && like.Netns == cell.Netns {
			kept = append(kept, cell)
			continue
		}
		delete(b.alike, sortOf(cell))
		if first := b.join(cell, like); first != nil && like.Netns.Inode != 0 { // that may go too
			kept = append(kept, first)
		}
	}
	clear(b.gone[len(kept):])
	b.gone = kept
}

// apart returns which namespaces and devices of cells have counters of their own.
func (b *Book) apart(cells iter.Seq[*event.Cell]) (netns map[uint32]bool, devices map[event.DeviceID]bool) {
	netns, devices = map[uint32]bool{}, map[event.DeviceID]bool{}
	for cell := range cells {
		netns[cell.Netns.Inode], devices[cell.DeviceID()], devices[event.NewDeviceID(cell.Netns, 0, cell.Device.Name)] = false, false, false
	}
	for m := range b.meter.Each() {
		if _, asked := netns[m.Netns.Inode]; asked {
			netns[m.Netns.Inode] = true
		}
		id := m.DeviceID()
		if _, asked := devices[id]; asked {
			devices[id] = true
		}
	}
	return netns, devices
}

// leaveLinks forgets the earliest devices whose counters are gone.
func (b *Book) leaveLinks(gone []event.Counter) {
	for _, c := range gone {
		id := c.ID().Device
		if _, known := b.links[id]; known && !b.goneLinks[id] {
			b.goneLinks[id] = true
			b.linkOrder = append(b.linkOrder, id)
		}
	}
	for ; len(b.linkOrder) > maxGone; b.linkOrder = b.linkOrder[1:] {
		if id := b.linkOrder[0]; b.goneLinks[id] { // else it is back
			delete(b.links, id)
			delete(b.goneLinks, id)
		}
	}
}
