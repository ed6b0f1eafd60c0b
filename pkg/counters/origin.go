// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// origin gives the start values of a new device's counters.
type origin struct {
	born bool            // the device was created: they start from 0
	was  []event.Reading // the last readings at the device's previous place; nil if unknown
}

// since returns the start value of a counter of the device, whose first reading is r. If it is
// unknown, the counter starts from r, so that its past is not reported as loss.
func (o origin) since(r event.Reading) uint64 {
	switch {
	case o.born:
		return 0
	case o.was == nil:
		return r.Value
	case r.Source == event.CounterQdisc:
		return 0 // a moved device gets new qdiscs (dev_shutdown in __dev_change_net_namespace, net/core/dev.c)
	}
	for _, old := range o.was {
		if old.Source == r.Source && old.Name == r.Name && old.Part == r.Part {
			if old.Value > r.Value { // the driver reset it when the device was brought up
				return 0
			}
			return old.Value
		}
	}
	return r.Value
}

// departure is a device that left its namespace.
type departure struct {
	*device
	from *space          // nil if the namespace is gone too
	last []event.Reading // of its counters
}

// maxDepartures bounds the departures that are kept: a new namespace is found some seconds
// after a device has moved there.
const maxDepartures = 64

// arrived reports whether a new device in a namespace may be the departed one. A device has no
// permanent ID, so arrived compares its kind, its address and its traffic. A virtual device is
// destroyed with its namespace, so a device in a new namespace is more likely a new one with
// the same properties.
func (l *departure) arrived(at *space, d *device) bool {
	switch {
	case l.from == at || l.kind != d.kind || l.address != d.address || !d.traffic.follows(l.traffic):
		return false
	case plainAddress(l.address) && l.name != d.name:
		return false
	}
	return l.from != nil || l.kind == "" || at.told
}

// plainAddress reports whether a hardware address is empty or zero, so that it does not
// identify a device.
func plainAddress(address string) bool {
	for i := range len(address) {
		if address[i] != 0 {
			return false
		}
	}
	return true
}

// leave records the devices that left their namespaces.
func (c *Changes) leave() {
	for _, s := range c.reader.ended {
		for _, d := range s.devices.listed {
			c.depart(departure{device: d}, s.now)
		}
	}
	for _, s := range c.reader.spaces {
		for _, d := range s.devices.left {
			c.depart(departure{device: d, from: s}, s.before)
		}
		s.devices.left = s.devices.left[:0]
	}
}

// depart records a device that may appear in another namespace, and its last readings.
func (c *Changes) depart(l departure, last []event.Reading) {
	if !l.loopback {
		l.last = ofDevice(last, l.device)
		c.left = append(c.left, l)
	}
}

// ofDevice copies the readings of a device.
func ofDevice(all []event.Reading, d *device) []event.Reading {
	some := []event.Reading{} // not nil: the readings are known, even if the device has none
	for _, r := range all {
		if r.Index == int(d.index) {
			some = append(some, r)
		}
	}
	return some
}

// settle sets the origin of each new device.
func (c *Changes) settle() {
	c.leave()
	fresh := int32(0)
	c.eachNew(func(*space, *device) { fresh++ })
	c.eachNew(func(s *space, d *device) { d.origin = c.originOf(s, d, fresh) })
	if extra := len(c.left) - maxDepartures; extra > 0 {
		c.left = append(c.left[:0:0], c.left[extra:]...)
	}
}

// eachNew calls f with each device that the previous reading did not have.
func (c *Changes) eachNew(f func(*space, *device)) {
	for _, s := range c.reader.spaces {
		for _, d := range s.devices.listed {
			if !d.told {
				f(s, d)
			}
		}
	}
}

// originOf returns the origin of a new device in a namespace. fresh is the number of all new
// devices.
func (c *Changes) originOf(s *space, d *device, fresh int32) origin {
	for i := range c.left {
		if l := &c.left[i]; l.arrived(s, d) {
			o := origin{was: l.last}
			c.left = append(c.left[:i], c.left[i+1:]...)
			return o
		}
	}
	switch {
	case !s.told && (d.loopback || d.kind != ""):
		return origin{born: s.isNew}
	case d.kind == "", slices.Contains(s.gaps, event.CounterLink):
		return origin{} // hardware may come from an unseen namespace; or the last list is missing
	}
	// A namespace assigns ascending, consecutive indexes to its devices, also to those that
	// are moved on later (dev_index_reserve, net/core/dev.c). A device that is moved in keeps
	// its index if that is free.
	return origin{born: d.index > s.devices.before && d.index <= s.devices.before+fresh}
}
