// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// origin is what is known of how the counters of a device began.
type origin struct {
	born bool            // it is new: from 0
	was  []event.Reading // what they were where it came from; nil if nobody knows
}

// since returns where a counter of the device starts from, of which this is the first
// reading. One whose beginning nobody knows starts from here, so that nothing of its past
// is taken for loss.
func (o origin) since(r event.Reading) uint64 {
	switch {
	case o.born:
		return 0
	case o.was == nil:
		return r.Value
	case r.Source == event.CounterQdisc:
		return 0 // a device that moves gets new ones (dev_shutdown in __dev_change_net_namespace, net/core/dev.c)
	}
	for _, old := range o.was {
		if old.Source == r.Source && old.Name == r.Name && old.Part == r.Part {
			if old.Value > r.Value { // the driver began anew when it was brought up
				return 0
			}
			return old.Value
		}
	}
	return r.Value
}

// departure is a device that is not where it was.
type departure struct {
	*device
	from *space          // nil if that is gone too
	last []event.Reading // of its counters
}

// maxDepartures is how many are remembered: a namespace that is new is found some seconds
// after a device has moved there.
const maxDepartures = 64

// arrived says that a device which is new in a namespace may be the one that departed: as
// there is no number that a device keeps, by its kind, its address, and counters that went
// on. A virtual device ends with its namespace, so that one in a new namespace is rather a
// new one that was made alike.
func (l *departure) arrived(at *space, d *device) bool {
	switch {
	case l.from == at || l.kind != d.kind || l.address != d.address || !d.traffic.follows(l.traffic):
		return false
	case plainAddress(l.address) && l.name != d.name:
		return false
	}
	return l.from != nil || l.kind == "" || at.told
}

// plainAddress says that a hardware address tells no device from others.
func plainAddress(address string) bool {
	for i := range len(address) {
		if address[i] != 0 {
			return false
		}
	}
	return true
}

// leave takes note of the devices that are gone from where they were.
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

// depart remembers a device that may turn up elsewhere, and its last readings.
func (c *Changes) depart(l departure, last []event.Reading) {
	if !l.loopback {
		l.last = ofDevice(last, l.device)
		c.left = append(c.left, l)
	}
}

// ofDevice copies the readings of a device.
func ofDevice(all []event.Reading, d *device) []event.Reading {
	some := []event.Reading{} // not nil: it is known that there were none
	for _, r := range all {
		if r.Index == int(d.index) {
			some = append(some, r)
		}
	}
	return some
}

// settle finds out how each new device began.
func (c *Changes) settle() {
	c.leave()
	fresh := int32(0)
	c.eachNew(func(*space, *device) { fresh++ })
	c.eachNew(func(s *space, d *device) { d.origin = c.originOf(s, d, fresh) })
	if extra := len(c.left) - maxDepartures; extra > 0 {
		c.left = append(c.left[:0:0], c.left[extra:]...)
	}
}

// eachNew calls f with each device that was not there at the reading before.
func (c *Changes) eachNew(f func(*space, *device)) {
	for _, s := range c.reader.spaces {
		for _, d := range s.devices.listed {
			if !d.told {
				f(s, d)
			}
		}
	}
}

// originOf judges a device that is new in a namespace, one of so many that are new.
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
		return origin{} // hardware, perhaps from a namespace that is not seen; or it was not looked for
	}
	// A namespace gives its devices rising indexes, one after the other (dev_index_reserve,
	// net/core/dev.c), also those that are moved on. A device that comes from elsewhere
	// keeps its own if that is free.
	return origin{born: d.index > s.devices.before && d.index <= s.devices.before+fresh}
}
