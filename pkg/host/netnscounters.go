// SPDX-License-Identifier: Apache-2.0

//go:build linux

package host

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// netnsCounters reads the counters of one network namespace. It holds nothing of it from
// reading to reading: a socket or an open file would keep the namespace and its devices
// alive when its last user has gone.
type netnsCounters struct {
	netnsPlace
	netns   event.Netns
	cookie  uint64 // tells it from those that had its number before; 0 if unknown
	devices deviceTable
}

// visit is a reading of one namespace, by a thread that may be in it.
type visit struct {
	*netnsCounters
	*counterMemory
	route   *routeSocket // nil if there is none
	missing func(error)  // takes why counters are missing
}

// read appends the counters of a namespace. Where it cannot be entered, those in files of
// processes are read.
func (c *netnsCounters) read(dst []event.Reading, t *traveler, m *counterMemory, missing func(error)) []event.Reading {
	v := visit{netnsCounters: c, counterMemory: m, missing: missing}
	if err := t.enter(c.netnsPlace); err != nil {
		missing(fmt.Errorf("read counters of devices: in network namespace %s: %w", c.netns, err))
		c.devices.begin()
		if !c.inhabited() {
			return dst
		}
		return v.protocols(dst, c.proc)
	}
	route, err := openRoute()
	if err != nil {
		missing(fmt.Errorf("read counters of devices: %w", err))
		return v.protocols(dst, "proc/thread-self/net")
	}
	defer route.close()
	c.meet(route.cookie())
	v.route = route
	for _, source := range []func([]event.Reading) ([]event.Reading, error){v.links, v.drivers, v.disciplines} {
		more, err := source(dst)
		if err != nil {
			missing(err)
		}
		dst = more
	}
	return v.protocols(dst, "proc/thread-self/net")
}

// meet takes note of which namespace is at the place: what is known of another one's
// devices is forgotten.
func (c *netnsCounters) meet(cookie uint64) {
	if c.cookie != cookie {
		c.cookie, c.devices = cookie, deviceTable{}
	}
}

// protocols appends the counters in the files below a /proc/net.
func (v *visit) protocols(dst []event.Reading, dir string) []event.Reading {
	for _, file := range netnsCounterFiles() {
		var err error
		if dst, err = v.files.read(dst, dir, file, v.netns); err != nil {
			v.missing(err)
		}
	}
	return dst
}

// links appends the counters of interfaces, and takes note of what interfaces there are.
func (v *visit) links(dst []event.Reading) ([]event.Reading, error) {
	more, err := dst, error(nil)
	for range dumpAttempts {
		more = dst
		v.devices.begin()
		err = v.route.dump(unix.RTM_GETLINK, unix.SizeofIfInfomsg, v.dump, func(message []byte) error {
			link, err := parseLink(message)
			if err != nil {
				return err
			}
			device := v.devices.see(link)
			if !link.sums() {
				counter := event.Counter{Source: event.CounterLink, Netns: v.netns, Device: device.text, Index: int(device.index)}
				more = appendLink(more, counter, link.stats)
			}
			return nil
		})
		if !errors.Is(err, errInterrupted) {
			break
		}
	}
	if err != nil {
		return dst, fmt.Errorf("read %s counters: %w", event.CounterLink, err)
	}
	v.devices.end()
	return more, nil
}

// dumpAttempts are made to read a list that changes meanwhile.
const dumpAttempts = 4
