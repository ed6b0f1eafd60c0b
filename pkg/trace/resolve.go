// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/netns"
	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

type symbols interface {
	Lookup(addr uint64) (symbolize.Symbol, bool)
	Find(name string) (addr uint64, ok bool)
}

type reasons interface {
	NameAt(code uint32, function string) (name string, inferred bool)
	Vague(name, function string, to dropreason.Audience) bool
}

const (
	maxExtraCells = 1 << 12 // cells that only samples of the overflow cell have
	maxTexts      = 1 << 12 // comms and device names
)

// resolver translates the kernel's numbers into names. Its caches are bounded.
type resolver struct {
	start    time.Duration // CLOCK_MONOTONIC of Meta.Start
	reasons  reasons
	stacks   *stacks
	users    users // nil: user space stacks are not named
	netns    netnsNamer
	devices  deviceNamer
	cgroups  cgroups
	cells    map[bpf.DropCellKey]*event.Cell
	nextID   int // of a cell
	freeIDs  []int
	extra    int
	overflow *event.Cell
	texts    map[string]string
}

func newResolver(start time.Duration, stacks *stacks, reasons reasons) *resolver {
	return &resolver{
		start: start, reasons: reasons, stacks: stacks,
		netns: newNetnsNamer(new(netns.Names).Name), devices: newDeviceNamer(), cgroups: newCgroups(),
		cells: map[bpf.DropCellKey]*event.Cell{}, texts: map[string]string{},
	}
}

// cell returns the cell of a key. overflow says that the key is from a sample of the overflow
// cell. After maxExtraCells new cells from such samples, cell returns the overflow cell.
func (r *resolver) cell(key *bpf.DropCellKey, overflow bool) *event.Cell {
	if *key == (bpf.DropCellKey{}) {
		return r.overflowCell()
	}
	if c, ok := r.cells[*key]; ok {
		return c
	}
	if overflow {
		if r.extra++; r.extra > maxExtraCells {
			return r.overflowCell()
		}
	}
	location := r.stacks.location(key.Location)
	name, inferred := r.reasons.NameAt(key.Reason, location.Symbol)
	c := &event.Cell{
		ID: r.takeID(),
		Reason: event.Reason{
			Code: key.Reason, Name: name, Inferred: inferred, Vague: r.reasons.Vague(name, location.Symbol, audience(key)),
		},
		Location:  location,
		Device:    event.Device{Index: int(key.Ifindex)},
		Ethertype: key.Ethertype, Protocol: key.L4,
	}
	if key.Ethertype == 0 {
		c.Family = key.Sort
	}
	c.Netns = r.netns.of(c, key.Netns)
	r.devices.add(c)
	r.cells[*key] = c
	return c
}

// audience returns the audience of a cell's packets.
func audience(key *bpf.DropCellKey) dropreason.Audience {
	switch {
	case key.Ethertype == 0 || key.Sort != uint8(bpf.DropPacketSortSORT_GROUP):
		return dropreason.One
	case key.Ethertype == event.EthertypeIPv6 && key.L4 == unix.IPPROTO_ICMPV6,
		key.Ethertype == event.EthertypeIPv4 && key.L4 == unix.IPPROTO_IGMP:
		return dropreason.Neighbours
	}
	return dropreason.Group
}

func (r *resolver) overflowCell() *event.Cell {
	if r.overflow == nil {
		r.overflow = &event.Cell{ID: r.takeID(), Location: r.stacks.frame(0), Overflow: true}
	}
	return r.overflow
}

func (r *resolver) takeID() int {
	if last := len(r.freeIDs) - 1; last >= 0 {
		id := r.freeIDs[last]
		r.freeIDs = r.freeIDs[:last]
		return id
	}
	r.nextID++
	return r.nextID - 1
}

// forget removes a cell, which the current tick lists in Gone. If its key comes again, cell
// returns a new cell.
func (r *resolver) forget(key *bpf.DropCellKey) {
	if cell, ok := r.cells[*key]; ok {
		r.netns.forget(cell)
		r.devices.forget(cell)
		delete(r.cells, *key)
		r.freeIDs = append(r.freeIDs, cell.ID)
	}
}

// drop sets d from a sample, with names. Only samples carry the name of a device.
func (r *resolver) drop(d *event.Drop, rec *dropRecord, loss *event.Loss) {
	d.Time = time.Duration(rec.TimeNs) - r.start
	d.CPU = int(rec.Cpu)
	d.Drops = uint64(rec.Drops)
	d.Overflow = rec.has(bpf.DropRecordFlagRECORD_OVERFLOW)
	d.Cell = r.cell(&rec.Key, d.Overflow)
	if name := rec.device(); len(name) > 0 && !d.Cell.Overflow {
		r.devices.name(d.Cell, r.text(name))
	}
	d.Segments, d.Len = rec.Segments, rec.Len
	d.Packet = rec.headers()
	d.Task = event.Task{PID: rec.Pid, TGID: rec.Tgid, Comm: r.text(rec.comm()), Cgroup: rec.CgroupId}
	d.Context = event.ContextUnknown
	if rec.has(bpf.DropRecordFlagRECORD_PREEMPT_COUNT) {
		d.Context = event.ContextOf(rec.PreemptCount, d.Task, rec.has(bpf.DropRecordFlagRECORD_KTHREAD))
	}
	d.Stack = nil
	if addresses := rec.addresses(); len(addresses) > 0 {
		if d.Stack = r.stacks.find(addresses, rec.Key.Location); d.Stack == nil {
			loss.StackTable++
		} else if d.Stack.Cut {
			loss.StackCut++
		}
	}
	d.Bytes = rec.bytes()
}

// chars returns a name as a string, escaped by event.Text.
func (r *resolver) chars(name *[16]int8) string { return r.text(chars(name)) }

// text returns a name as a string, escaped by event.Text. It returns the same string for equal
// names.
func (r *resolver) text(name []byte) string {
	if text, ok := r.texts[string(name)]; ok {
		return text
	}
	text := event.Text(name)
	if len(r.texts) == maxTexts { // most are names of processes and devices that are gone
		clear(r.texts)
	}
	r.texts[string(name)] = text
	return text
}
