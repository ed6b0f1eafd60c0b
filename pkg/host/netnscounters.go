// SPDX-License-Identifier: Apache-2.0

//go:build linux

package host

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// netnsCounters reads the counters of one network namespace. Its sockets keep the
// namespace alive until they are closed.
type netnsCounters struct {
	netnsPlace
	netns   event.Netns
	home    bool           // it is our own
	route   *routeSocket   // nil if it could not be opened
	ethtool *ethtoolSocket // nil likewise
	devices deviceTable
}

// openNetns opens sockets in a namespace. After an error the files of processes can
// still be read.
func openNetns(place netnsPlace, netns event.Netns) (*netnsCounters, error) {
	c := &netnsCounters{netnsPlace: place, netns: netns}
	own, err := inodeOf(ownNetns)
	c.home = err == nil && own == place.inode
	return c, c.within(func() error {
		var routeErr, ethtoolErr error
		c.route, routeErr = openRoute()
		c.ethtool, ethtoolErr = openEthtool()
		return errors.Join(routeErr, ethtoolErr)
	})
}

func (c *netnsCounters) close() {
	if c.route != nil {
		c.route.close()
	}
	if c.ethtool != nil {
		c.ethtool.close()
	}
}

// within runs f inside the namespace.
func (c *netnsCounters) within(f func() error) error {
	if c.home {
		return f()
	}
	return inNetns(c.path, func() error {
		if inode, err := inodeOf(ownNetns); err != nil || inode != c.inode {
			return fmt.Errorf("enter network namespace %s: at %s is %d now", c.netns, c.path, inode)
		}
		return f()
	})
}

// read appends the counters of the namespace, and hands on why some are missing.
func (c *netnsCounters) read(dst []event.Reading, m *counterMemory, missing func(error)) []event.Reading {
	for _, source := range []func([]event.Reading, *counterMemory) ([]event.Reading, error){
		c.links, c.drivers, c.disciplines,
	} {
		more, err := source(dst, m)
		if err != nil {
			missing(err)
		}
		dst = more
	}
	return c.protocols(dst, m, missing)
}

// protocols appends the counters in files. If no process is in the namespace, a thread
// of ours goes there.
func (c *netnsCounters) protocols(dst []event.Reading, m *counterMemory, missing func(error)) []event.Reading {
	read := func(dir string) {
		for _, file := range netnsCounterFiles() {
			var err error
			if dst, err = m.files.read(dst, dir, file, c.netns); err != nil {
				missing(err)
			}
		}
	}
	if c.proc != "" {
		read(c.proc)
		return dst
	}
	err := c.within(func() error {
		read("proc/thread-self/net")
		return nil
	})
	if err != nil {
		missing(fmt.Errorf("read %s counters: %w", event.CounterProtocol, err))
	}
	return dst
}

// links appends the counters of interfaces, and takes note of what interfaces there are.
func (c *netnsCounters) links(dst []event.Reading, m *counterMemory) ([]event.Reading, error) {
	if c.route == nil {
		return dst, nil
	}
	more, err := dst, error(nil)
	for range dumpAttempts {
		more = dst
		c.devices.begin()
		err = c.route.dump(unix.RTM_GETLINK, unix.SizeofIfInfomsg, m.dump, func(message []byte) error {
			link, err := parseLink(message)
			if err != nil {
				return err
			}
			device := c.devices.see(link)
			if !link.sums() {
				counter := event.Counter{Source: event.CounterLink, Netns: c.netns, Device: device.text, Index: int(device.index)}
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
	c.devices.end()
	return more, nil
}

// dumpAttempts are made to read a list that changes meanwhile.
const dumpAttempts = 4
