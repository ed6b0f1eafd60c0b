// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"fmt"
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/netns"
)

// Reader reads the loss counters of a node from the sources in event.CounterSource. It reads
// every network namespace that has a process or a name in /run/netns or /run/docker/netns.
//
// Reader leaves out sums whose parts it reads: bonds and teams, because it reads their ports,
// and mq and mqprio, because it reads their queues. A qdisc inside a classful one has no
// "dropped", because the outer one counts the same packets. Sources still overlap: tx_dropped
// of a device may count packets that its driver counts too, and drivers report sums beside
// their parts.
//
// Reader needs root for other namespaces, but not for its own. It keeps no namespace alive: it
// enters each one for a reading and leaves it. It is not safe for concurrent use.
type Reader struct {
	memory   *memory
	machine  series // of the machine, without namespace
	spaces   []*space
	ended    []*space // namespaces of the previous reading that are gone
	turns    int      // number of complete readings
	readings []event.Reading
	notes    notes
	search   time.Time // earliest time of the next search for namespaces
}

// NewReader finds the namespaces. It fails if /proc is not readable. Notes lists everything else
// that cannot be read.
func NewReader() (*Reader, error) {
	r := &Reader{memory: newMemory()}
	if err := r.find(); err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	return r, nil
}

// Read reads all counters: those of the machine first, then by namespace, source and device.
// The order is stable while namespaces and devices stay. Read leaves out counters that it
// cannot read, and Notes says why. The readings are valid until the next call; their strings
// stay valid.
//
// Read searches for new namespaces when one has gone, and otherwise as often as takes at most
// 2 % of the time.
func (r *Reader) Read() ([]event.Reading, error) {
	if err := r.read(); err != nil {
		return nil, err
	}
	r.readings = append(r.readings[:0], r.machine.now...)
	for _, s := range r.spaces {
		r.readings = append(r.readings, s.now...)
	}
	return r.readings, nil
}

// read reads all counters into the series of the machine and of each namespace.
func (r *Reader) read() error {
	r.ended = nil
	if time.Now().After(r.search) || slices.ContainsFunc(r.spaces, func(s *space) bool { return s.Gone() }) {
		if err := r.find(); err != nil {
			return fmt.Errorf("read counters: %w", err)
		}
	}
	r.readMachine()
	err := netns.Travel(func(t *netns.Traveler) error {
		for _, s := range r.spaces {
			r.namespace(s, t)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read counters: %w", err)
	}
	r.turns++
	return nil
}

// Notes says which counters could not be read so far, and why. It lists each kind of failure
// once, with the first namespace or device where it happened.
func (r *Reader) Notes() []string { return r.notes.all() }

// readMachine reads the counters that do not belong to a namespace.
func (r *Reader) readMachine() {
	s, files := &r.machine, &r.memory.files
	s.begin()
	var err error
	if s.now, err = files.read(s.now, "proc/self/net", softnetFile(), event.Netns{}); err != nil {
		r.notes.add(err)
	}
	for _, file := range neighbourFiles() {
		if s.now, err = files.read(s.now, "proc/1/net", file, event.Netns{}); err != nil {
			r.notes.add(err)
		}
	}
}

// namespace reads the counters of a namespace. It discards them if the namespace ended during
// the reading.
func (r *Reader) namespace(s *space, t *netns.Traveler) {
	failures := s.read(t, r.memory)
	if len(failures) > 0 && s.Gone() {
		s.now, s.missed = s.now[:0], append(deviceSources(), fileSources()...)
		return
	}
	for _, err := range failures {
		r.notes.add(err)
	}
}

// find updates the list of namespaces.
func (r *Reader) find() error {
	began := time.Now()
	places, denied, err := netns.Find()
	if err != nil {
		return err
	}
	if denied != nil {
		r.notes.add(denied)
	}
	was := map[uint32]*space{}
	for _, s := range r.spaces {
		was[s.Inode] = s
	}
	clear(r.spaces)
	r.spaces = r.spaces[:0]
	for _, place := range places {
		s := was[place.Inode]
		if s == nil {
			s = &space{isNew: r.turns > 0}
		}
		delete(was, place.Inode)
		s.Place, s.netns = place, event.Netns{Inode: place.Inode, Name: place.Name}
		r.spaces = append(r.spaces, s)
	}
	for _, s := range was {
		r.ended = append(r.ended, s)
	}
	const share = 50
	r.search = time.Now().Add(share * time.Since(began))
	return nil
}
