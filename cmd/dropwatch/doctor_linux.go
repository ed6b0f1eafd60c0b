// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dropwatch/dropwatch/pkg/counters"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/finding"
	"github.com/dropwatch/dropwatch/pkg/ledger"
	"github.com/dropwatch/dropwatch/pkg/node"
	"github.com/dropwatch/dropwatch/pkg/privilege"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// examine watches this machine until the duration is over or a signal comes. What
// cannot be traced or read is noted.
func examine(ctx context.Context, s streams, flags doctorFlags) (*report.Doctor, error) {
	ctx, signals := watchSignals(ctx)
	defer signals.stop()
	if flags.format == "text" && isTerminal(s.err) {
		fmt.Fprintf(s.err, "watching for %v; Ctrl-C ends\n", flags.duration)
	}
	root := node.Root{FS: os.DirFS("/")}
	d := &report.Doctor{Start: time.Now(), Facts: privilege.Facts(root.FS)}
	d.Host, d.Kernel = trace.Machine()
	hooks := make(chan []event.AttachResult, 1)
	go func() { hooks <- trace.ProbeHooks() }()
	sources, err := node.LiveSources()
	if err != nil {
		return nil, err
	}
	var in finding.Input
	var sockets *node.SocketWatch
	var lost error
	seen := newSighting()
	notes, err := seen.watch(func() {
		in.LoadBefore, sockets = root.ReadLoad(), node.WatchSockets(sources.Spaces)
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() { sockets.Watch(sources.Spaces, stop); close(stopped) }()
		wait(ctx, flags.duration, nil)
		close(stop)
		<-stopped
		sources, lost = node.LiveSources() // with namespaces that are new
		in.Sockets, in.LoadAfter = sockets.Losses(sources.Spaces), root.ReadLoad()
	})
	if err := errors.Join(err, lost); err != nil {
		return nil, err
	}
	in.Counters, in.Elapsed = seen.book.Movements(), seen.to-seen.from
	in.Traced = seen.traced()
	losing := finding.LostSegments(in)
	connections := sockets.Connections(slices.DeleteFunc(slices.Clone(sources.Spaces), func(s node.Space) bool { return !losing[s.Netns.Inode] }))
	sockets.Hold(connections)
	in.Sockets = append(in.Sockets, connections...)
	in.State = node.ReadState(sources)
	d.Duration, d.Findings, d.Ledger = in.Elapsed, finding.Find(in), seen.book.Ledger()
	d.Notes = notes
	for _, note := range slices.Concat(in.State.Notes, sockets.Notes()) {
		if !slices.ContainsFunc(notes, func(said string) bool { return strings.HasSuffix(said, note) }) {
			d.Notes = append(d.Notes, note)
		}
	}
	d.Blind = seen.blind()
	d.Hooks = <-hooks
	return d, nil
}

// sighting is what was seen of the node's counters, and of drops.
type sighting struct {
	book  *ledger.Book
	links []event.Link
	drops map[*event.Cell]uint64 // nil if none were traced

	from, to time.Duration // when counters were read first and last, since the start
	read     bool
}

func newSighting() *sighting {
	return &sighting{book: ledger.NewBook()}
}

// traced returns the drops of each cell; nil if drops were not traced.
func (s *sighting) traced() (counts []event.Count) {
	if s.drops != nil {
		counts = []event.Count{}
	}
	for cell, drops := range s.drops {
		counts = append(counts, event.Count{Cell: cell, Drops: drops})
	}
	return counts
}

func (s *sighting) add(e event.Event) {
	s.book.Add(e)
	if tick, ok := e.(*event.Tick); ok {
		if s.drops == nil {
			s.drops = map[*event.Cell]uint64{}
		}
		for _, c := range tick.Counts {
			s.drops[c.Cell] += c.Drops
		}
	}
	if counters, ok := e.(*event.Counters); ok {
		s.links = append(s.links, counters.Links...)
		if s.to = counters.Time; !s.read {
			s.from, s.read = counters.Time, true
		}
	}
}

// watch traces drops and reads counters as long as wait takes, or counters alone where
// it may not trace. The notes say what was not to be had.
func (s *sighting) watch(wait func()) (notes []string, err error) {
	tracer, refused := trace.Open(trace.Config{})
	if refused != nil {
		notes, err := s.readCounters(wait)
		return append(notes, "drops: "+strings.ReplaceAll(refused.Error(), "\n", "; ")), err
	}
	read := make(chan error, 1)
	go func() { read <- profile.Each(tracer, func(e event.Event) error { s.add(e); return nil }) }()
	wait()
	err = errors.Join(tracer.Stop(), <-read, tracer.Close())
	return tracer.Meta().Notes, err
}

// readCounters reads counters before and after.
func (s *sighting) readCounters(wait func()) (notes []string, err error) {
	counters, err := counters.NewChanges()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	for i := range 2 {
		if i > 0 {
			wait()
		}
		e, err := counters.Read(start)
		if err != nil {
			return nil, err
		}
		s.add(e)
	}
	return counters.Notes(), nil
}

// blind says what of this node's losses stays invisible.
func (s *sighting) blind() (lines []string) {
	for _, l := range s.links {
		if l.NativeXDP {
			lines = append(lines, fmt.Sprintf("packets that the XDP program in the driver of %s drops are no drops to the kernel; the driver may count them (ethtool -S %s)", l.Name, l.Name))
		}
	}
	if trace.LacksReasons() {
		lines = append(lines, "this kernel gives no drop reasons: they are inferred from where packets die, or stay NOT_SPECIFIED")
	}
	return lines
}
