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

// Reader reads what a node counts of its lost packets: see event.CounterSource
// for the sources. It reads every network namespace that a process is in or that has a
// name below /run/netns or /run/docker/netns.
//
// Sums are left out where their parts are read: bonds and teams, whose ports are, and mq
// and mqprio, whose queues are. A qdisc inside a classful one has no "dropped", since the
// outer one counts the same packets. Sources still overlap: a device may count in
// tx_dropped what its driver counts too, and drivers give sums beside their parts.
//
// It needs root for other namespaces, and none for its own. It keeps no namespace alive:
// each is entered for a reading and left. It must be used by one goroutine at a time.
type Reader struct {
	memory   *memory
	machine  series // of no namespace
	spaces   []*space
	ended    []*space // that were there at the reading before
	turns    int      // how often all was read
	readings []event.Reading
	notes    notes
	search   time.Time // for namespaces, not before
}

// NewReader finds the namespaces there are. It fails where /proc is not readable;
// what else cannot be read is in Notes.
func NewReader() (*Reader, error) {
	r := &Reader{memory: newMemory()}
	if err := r.find(); err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	return r, nil
}

// Read reads all counters: those of the machine first, then by namespace, source,
// device; the order stays as long as namespaces and devices do. A counter that cannot
// be read is left out, and Notes says why. The readings are valid until the next call;
// the strings in them for ever.
//
// New namespaces are looked for so often that it takes at most a fiftieth of the time,
// and whenever one has gone.
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

// Notes says what could not be read so far, and why, each once: at the first namespace or
// device it happened to.
func (r *Reader) Notes() []string { return r.notes.all() }

// readMachine reads the counters of no namespace.
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

// namespace reads the counters of a namespace, but none if it went away meanwhile.
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

// find looks for namespaces.
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
