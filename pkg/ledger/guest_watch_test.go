// SPDX-License-Identifier: Apache-2.0

//go:build linux && guest

package ledger_test

import (
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/finding"
	"github.com/dropwatch/dropwatch/pkg/ledger"
	"github.com/dropwatch/dropwatch/pkg/node"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// seen is what was traced and counted while something went on.
type seen struct {
	*profile.Sums[string] // by stack
	counted
}

// counted passes events on, and adds up the node's counters.
type counted struct {
	event.Source
	meter event.Meter
}

// Next implements event.Source.
func (c *counted) Next() (event.Event, error) {
	e, err := c.Source.Next()
	if counters, ok := e.(*event.Counters); ok {
		c.meter.Add(counters)
	}
	return e, err
}

// watch traces the running kernel while do runs.
func watch(t *testing.T, do func()) *seen {
	t.Helper()
	tracer, err := trace.Open(trace.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := &seen{counted: counted{Source: tracer}}
	read := make(chan error, 1)
	go func() {
		var err error
		s.Sums, err = profile.Fold(&s.counted, profile.StackOptions{})
		read <- err
	}()
	do()
	for _, err := range []error{tracer.Stop(), <-read, tracer.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// row returns the row of a device's counter; zero if it has not moved.
func (s *seen) row(source event.CounterSource, device, name string) (row ledger.Row) {
	for _, r := range s.Ledger.Rows {
		if r.Source == source && r.Device == device && r.Name == name {
			row = r
		}
	}
	return row
}

// folded returns the stacks below a place, as files have them.
func (s *seen) folded(t *testing.T, place string) (lines []string) {
	t.Helper()
	var b strings.Builder
	if err := profile.WriteFolded(&b, s.Sums); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, place+";") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// finding returns what a rule says of a device, with the settings it has now.
func (s *seen) finding(t *testing.T, id, device string) finding.Finding {
	t.Helper()
	in := finding.Input{Counters: s.meter.Movements(), Elapsed: s.Duration, State: state(t)}
	for _, f := range finding.Find(in) {
		if f.ID == id && f.Device == device {
			return f
		}
	}
	t.Fatalf("no finding %s of %s", id, device)
	return finding.Finding{}
}

func state(t *testing.T) node.State {
	t.Helper()
	sources, err := node.LiveSources()
	if err != nil {
		t.Fatal(err)
	}
	return node.ReadState(sources)
}
