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

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/lab"
	"github.com/dropwatch/dropwatch/pkg/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestOrdinary traces traffic of ordinary life, in which nothing is lost: the table of the report is empty, what died is in the
// benign line, and no counter tells of a loss that is not that.
func TestOrdinary(t *testing.T) {
	labtest.NeedRoot(t)
	silent := withoutReasons(t)
	for _, o := range lab.Ordinaries() {
		t.Run(o.Name, func(t *testing.T) {
			r := reportOn(t, o)
			var text bytes.Buffer
			if err := report.WriteText(&text, r, false); err != nil {
				t.Fatal(err)
			}
			if groups := claimed(r, silent); len(groups) != 0 || r.Unseen != 0 {
				t.Errorf("ordinary traffic is said to be lost:\n%s", text.String())
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
		})
	}
}

// claimed returns the groups that a report says were lost. A kernel that states no reasons
// leaves open what died at functions that free for several; that is not to say lost.
func claimed(r *report.Report, silent bool) []report.Group {
	return slices.DeleteFunc(slices.Clone(r.Groups), func(g report.Group) bool {
		return silent && g.Class == dropreason.ClassUnknown
	})
}

// reportOn returns what a report says of the network that traffic was made on.
func reportOn(t *testing.T, o lab.Ordinary) *report.Report {
	t.Helper()
	lan, err := lab.NewLAN()
	labtest.Need(t, err)
	defer func() {
		if err := lan.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, h := range append(lan.Hosts[:3:3], lan.Switch) {
		settle(t, h)
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
	unmade := o.Make(t.Context(), lan)
	err = errors.Join(tracer.Stop(), <-done, tracer.Close())
	labtest.Need(t, unmade)
	if err != nil {
		t.Fatal(err)
	}
	by, err := profile.ParseDimensions("reason,location,device,netns,proto,class")
	if err != nil {
		t.Fatal(err)
	}
	builder := report.NewBuilder(tracer.Meta(), report.Options{By: by, Fold: true})
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

// settle has a process live in a host's namespace, as one does in a container: counters
// are read of namespaces that have a name or a process.
func settle(t *testing.T, h *lab.Host) {
	t.Helper()
	process := exec.Command("sleep", "60")
	if process.Err != nil {
		process = exec.Command("/bin/busybox", "sleep", "60") // in a guest
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
		e.Counts = slices.DeleteFunc(e.Counts, func(c event.Count) bool { return !ours(c.Cell.Netns) })
	case *event.Drop:
		if !ours(e.Cell.Netns) {
			return nil
		}
	case *event.Counters:
		e.Readings = slices.DeleteFunc(e.Readings, func(r event.Reading) bool { return !ours(r.Netns) })
		e.Gone = slices.DeleteFunc(e.Gone, func(c event.Counter) bool { return !ours(c.Netns) })
	}
	return e
}
