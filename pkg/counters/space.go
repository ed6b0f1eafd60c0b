// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/netns"
	"github.com/dropwatch/dropwatch/pkg/rtnl"
)

// space reads the counters of one network namespace. It holds nothing of it from
// reading to reading: a socket or an open file would keep the namespace and its devices
// alive when its last user has gone.
type space struct {
	netns.Place
	netns   event.Netns
	cookie  uint64 // tells it from those that had its number before; 0 if unknown
	isNew   bool   // found after others were read, and not compared yet
	devices deviceTable
	series
}

// visit is a reading of one namespace, by a thread that may be in it.
type visit struct {
	*space
	*memory
	route *rtnl.Socket
	notes []error // why counters are missing
}

// read reads the counters of a namespace, and says why some are missing. Where it cannot
// be entered, those in files of processes are read.
func (c *space) read(t *netns.Traveler, m *memory) []error {
	v := visit{space: c, memory: m}
	c.begin()
	if err := t.Enter(c.Place); err != nil {
		v.miss(fmt.Errorf("read counters of devices: in network namespace %s: %w", c.netns, err), deviceSources()...)
		if c.Inhabited() {
			v.protocols(c.Proc)
		} else {
			c.missed = append(c.missed, fileSources()...)
		}
		return v.notes
	}
	const own = "proc/thread-self/net"
	var err error
	if v.route, err = rtnl.Open(); err != nil {
		v.miss(fmt.Errorf("read counters of devices: %w", err), deviceSources()...)
		v.protocols(own)
		return v.notes
	}
	defer v.route.Close()
	c.meet(v.route.Cookie())
	if err := v.links(); err != nil {
		v.miss(err, deviceSources()...)
	} else {
		if err := v.drivers(); err != nil {
			v.miss(err, event.CounterDriver)
		}
		if err := v.disciplines(); err != nil {
			v.miss(err, event.CounterQdisc)
		}
	}
	v.protocols(own)
	return v.notes
}

func (v *visit) miss(err error, sources ...event.CounterSource) {
	v.notes, v.missed = append(v.notes, err), append(v.missed, sources...)
}

// deviceSources are read by the list of interfaces.
func deviceSources() []event.CounterSource {
	return []event.CounterSource{event.CounterLink, event.CounterDriver, event.CounterQdisc}
}

func fileSources() (all []event.CounterSource) {
	for _, file := range netnsFiles() {
		all = append(all, file.source)
	}
	return all
}

// meet takes note of which namespace is at the place: what is known of another one that
// was there is forgotten.
func (c *space) meet(cookie uint64) {
	if c.cookie != 0 && cookie != 0 && c.cookie != cookie {
		c.devices, c.isNew = deviceTable{}, true
		c.reborn()
	}
	c.cookie = cookie
}

// protocols reads the counters in the files below a /proc/net.
func (v *visit) protocols(dir string) {
	for _, file := range netnsFiles() {
		var err error
		if v.now, err = v.files.read(v.now, dir, file, v.netns); err != nil {
			v.miss(err, file.source)
		}
	}
}

// links reads the counters of interfaces, and takes note of what interfaces there are.
func (v *visit) links() error {
	first, err := len(v.now), error(nil)
	for range dumpAttempts {
		v.now = v.now[:first]
		v.devices.begin()
		err = v.route.Dump(unix.RTM_GETLINK, unix.SizeofIfInfomsg, v.dump, func(message []byte) error {
			link, err := parseLink(message)
			if err != nil {
				return err
			}
			device := v.devices.see(link)
			if !link.sums() {
				v.now = appendLink(v.now, v.counter(event.CounterLink, device), link.stats)
			}
			return nil
		})
		if !errors.Is(err, rtnl.ErrInterrupted) {
			break
		}
	}
	if err != nil {
		v.now = v.now[:first]
		return fmt.Errorf("read %s counters: %w", event.CounterLink, err)
	}
	v.devices.end()
	return nil
}

// counter returns one of a device, without its name.
func (v *visit) counter(source event.CounterSource, d *device) event.Counter {
	return event.Counter{Source: source, Netns: v.netns, Device: d.text, Index: int(d.index)}
}

// dumpAttempts are made to read a list that changes meanwhile.
const dumpAttempts = 4
