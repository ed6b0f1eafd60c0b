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

// space reads the counters of one network namespace. Between readings it holds no socket and no
// open file: these would keep the namespace and its devices alive after its last user.
type space struct {
	netns.Place
	netns   event.Netns
	cookie  uint64 // differs from earlier namespaces with the same inode; 0 if unknown
	isNew   bool   // found after the first reading, and not compared yet
	devices deviceTable
	series
}

// visit is one reading of a namespace. The thread is in the namespace, if it could enter.
type visit struct {
	*space
	*memory
	route *rtnl.Socket
	notes []error // why counters are missing
}

// read reads the counters of a namespace. It returns the errors that explain missing counters.
// If it cannot enter the namespace, it reads the files in /proc of a process in it.
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

// deviceSources are the sources that need the list of interfaces.
func deviceSources() []event.CounterSource {
	return []event.CounterSource{event.CounterLink, event.CounterDriver, event.CounterQdisc}
}

func fileSources() (all []event.CounterSource) {
	for _, file := range netnsFiles() {
		all = append(all, file.source)
	}
	return all
}

// meet checks by cookie whether the namespace is still the same. If it is not, meet forgets the
// devices of the previous one.
func (c *space) meet(cookie uint64) {
	if c.cookie != 0 && cookie != 0 && c.cookie != cookie {
		c.devices, c.isNew = deviceTable{}, true
		c.reborn()
	}
	c.cookie = cookie
}

// protocols reads the counters in the files of a /proc/net.
func (v *visit) protocols(dir string) {
	for _, file := range netnsFiles() {
		var err error
		if v.now, err = v.files.read(v.now, dir, file, v.netns); err != nil {
			v.miss(err, file.source)
		}
	}
}

// links reads the interfaces and their counters.
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
			if !link.isAggregate() {
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

// counter returns a counter of a device; the caller sets its name.
func (v *visit) counter(source event.CounterSource, d *device) event.Counter {
	return event.Counter{Source: source, Netns: v.netns, Device: d.text, Index: int(d.index)}
}

// dumpAttempts is how often a dump is tried while ErrInterrupted is returned.
const dumpAttempts = 4
