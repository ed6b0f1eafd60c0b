// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"bytes"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestOrdinary traces traffic of ordinary life, in which nothing is lost: the table of the
// report is empty, what died is in the benign line, and no counter tells of a loss that is
// not that. Few tracers are opened, as that takes seconds in guests: each kind of traffic
// has a network of its own, and goes on when all of them have been made.
func TestOrdinary(t *testing.T) {
	labtest.NeedRoot(t)
	silent := withoutReasons(t)
	var chosen []*ordinary
	for _, kind := range lab.Ordinaries() {
		t.Run(kind.Name, func(t *testing.T) {
			o := &ordinary{Ordinary: kind}
			chosen = append(chosen, o)
			t.Parallel() // waits for the loop below
			o.judge(t, silent)
		})
	}
	for some := range slices.Chunk(chosen, 21) {
		makeOrdinary(t, some)
	}
}

// ordinary is a kind of traffic, and what a report says of the network that it was made on.
type ordinary struct {
	lab.Ordinary
	lan    *lab.LAN
	unmade error
	*report.Report
	samples []byte // the dropped packets, a line each
}

func (o *ordinary) judge(t *testing.T, silent bool) {
	labtest.Need(t, o.unmade)
	r := o.Report
	if r == nil {
		t.Fatal("it was not made")
	}
	var text bytes.Buffer
	if err := report.WriteText(&text, r, false); err != nil {
		t.Fatal(err)
	}
	if groups := claimed(r, silent); len(groups) != 0 || r.Unseen != 0 {
		t.Errorf("ordinary traffic is said to be lost:\n%s%s", text.String(), o.samples)
	}
	if lines := strings.Count(text.String(), "\nbenign: "); lines > 1 || lines == 0 && r.Drops > 0 && !silent {
		t.Errorf("%d benign lines for %d drops:\n%s", lines, r.Drops, text.String())
	}
	for _, row := range r.Ledger.Rows {
		if row.Unseen != 0 || row.Unexplained != 0 || row.Packets != 0 && !silent {
			t.Errorf("counter %s: %+v", row.String(), row)
		}
	}
	t.Logf("%d benign drops: %v", r.Benign.Drops, r.Benign.Reasons)
}

// claimed returns the groups that a report says were lost. A kernel that states no reasons
// leaves open what died at functions that free for several; that is not to say lost.
func claimed(r *report.Report, silent bool) []report.Group {
	return slices.DeleteFunc(slices.Clone(r.Groups), func(g report.Group) bool {
		return silent && g.Class == dropreason.ClassUnknown
	})
}

// makeOrdinary makes traffic of several kinds, one after the other, while a tracer runs.
func makeOrdinary(t *testing.T, some []*ordinary) {
	t.Helper()
	for _, o := range some {
		var err error
		if o.lan, err = lab.NewLAN(); err != nil {
			o.unmade = err
			continue
		}
		defer func() {
			if err := o.lan.Close(); err != nil {
				t.Error(err)
			}
		}()
		for _, h := range append(o.lan.Hosts[:3:3], o.lan.Switch) {
			settle(t, h)
		}
	}
	tracer, err := trace.Open(trace.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var events []event.Event
	done := make(chan error, 1)
	go func() {
		done <- profile.Each(tracer, func(e event.Event) error { events = append(events, keep(e)); return nil })
	}()
	for _, o := range some {
		if o.unmade == nil {
			o.unmade = o.Make(t.Context(), o.lan)
		}
	}
	if err := errors.Join(tracer.Stop(), <-done, tracer.Close()); err != nil {
		t.Fatal(err)
	}
	for _, o := range some {
		if o.unmade == nil {
			o.Report = reportOf(t, o.lan, tracer.Meta(), events)
			o.samples = samplesOf(o.lan, tracer.Meta(), events)
		}
	}
}

// reportOf returns what a report says of a network.
func reportOf(t *testing.T, lan *lab.LAN, meta *event.Meta, events []event.Event) *report.Report {
	t.Helper()
	by, err := profile.ParseDimensions("reason,location,device,netns,proto,class")
	if err != nil {
		t.Fatal(err)
	}
	builder := report.NewBuilder(meta, report.Options{By: by, Fold: true})
	read := map[uint32]bool{}
	for _, e := range events {
		if e = of(lan.Namespaces(), e); e == nil {
			continue
		}
		builder.Add(e)
		if counters, ok := e.(*event.Counters); ok {
			for _, reading := range counters.Readings {
				read[reading.Netns.Inode] = true
			}
		}
	}
	for _, n := range lan.Namespaces() {
		if !read[n] {
			t.Errorf("no counter of namespace %d was read", n)
		}
	}
	return builder.Report()
}

// samplesOf returns the sampled drops of a network, a line each.
func samplesOf(lan *lab.LAN, meta *event.Meta, events []event.Event) (lines []byte) {
	for _, e := range events {
		if d, ok := e.(*event.Drop); ok && of(lan.Namespaces(), d) != nil {
			lines = report.AppendEvent(lines, meta, d, report.EventOptions{})
		}
	}
	return lines
}

// settle has a process live in a host's namespace, as one does in a container: counters
// are read of namespaces that have a name or a process.
func settle(t *testing.T, h *lab.Host) {
	t.Helper()
	process := exec.Command("sleep", "600")
	if process.Err != nil {
		process = exec.Command("/bin/busybox", "sleep", "600") // in a guest
	}
	if err := h.Do(process.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait() // killed
	})
}

// keep copies what the tracer reuses.
func keep(e event.Event) event.Event {
	switch e := e.(type) {
	case *event.Drop:
		d := *e
		return &d
	case *event.Tick:
		tick := *e
		tick.Counts = slices.Clone(e.Counts)
		return &tick
	case *event.End:
		end := *e
		return &end
	case *event.Counters:
		c := *e
		c.Readings, c.Gone, c.Links = slices.Clone(e.Readings), slices.Clone(e.Gone), slices.Clone(e.Links)
		return &c
	}
	return e
}

// of leaves out of an event what is not of these namespaces. A socket without a network
// has none.
func of(namespaces []uint32, e event.Event) event.Event {
	ours := func(n event.Netns) bool { return slices.Contains(namespaces, n.Inode) }
	switch e := e.(type) {
	case *event.Tick:
		tick := *e
		tick.Counts = only(e.Counts, func(c event.Count) bool { return ours(c.Cell.Netns) })
		return &tick
	case *event.Drop:
		if !ours(e.Cell.Netns) {
			return nil
		}
	case *event.Counters:
		c := *e
		c.Readings = only(e.Readings, func(r event.Reading) bool { return ours(r.Netns) })
		c.Gone = only(e.Gone, func(c event.Counter) bool { return ours(c.Netns) })
		return &c
	}
	return e
}

// only copies what is wanted.
func only[S ~[]E, E any](all S, wanted func(E) bool) (some S) {
	for _, e := range all {
		if wanted(e) {
			some = append(some, e)
		}
	}
	return some
}
