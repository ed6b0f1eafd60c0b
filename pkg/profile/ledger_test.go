// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// withCounters puts counters around the sample's drops: a ring that was full, and a backlog.
func withCounters(s *script, missed, dropped uint64) *script {
	host := event.Netns{Inode: 1, Name: "host"}
	at := func(times uint64) *event.Counters {
		return &event.Counters{Readings: []event.Reading{
			{Counter: event.Counter{Source: event.CounterLink, Name: "rx_missed_errors", Netns: host, Device: "eth0"}, Value: 7 + missed*times},
			{Counter: event.Counter{Source: event.CounterSoftnet, Name: "dropped", Part: "cpu 1"}, Value: dropped * times},
		}}
	}
	last := len(s.events) - 1
	events := append([]event.Event{at(0)}, s.events[:last]...)
	s.events = append(events, at(1), s.events[last])
	return s
}

func TestUnseen(t *testing.T) {
	sums, err := Fold(withCounters(sample(), 5000, 8), StackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var stacks []string
	for key, v := range sums.Of {
		if strings.HasPrefix(key, "[nic]") {
			stacks = append(stacks, strings.Join(Frames(key), ";")+" "+spell.Thousands(v.Drops))
		}
	}
	if diff := cmp.Diff([]string{"[nic] eth0;rx_missed_errors 5,000"}, stacks); diff != "" {
		t.Errorf("stacks (-want +got):\n%s", diff)
	}
	if sums.Total.Drops != 1010 || sums.Unseen.Drops != 5000 {
		t.Errorf("%d drops, %d unseen", sums.Total.Drops, sums.Unseen.Drops)
	}
	want := []string{"5,000 more are known only from counters."}
	if diff := cmp.Diff(want, sums.Remarks()); diff != "" {
		t.Errorf("remarks (-want +got):\n%s", diff)
	}
}

// TestDistrust looks for a counter that does not agree with the trace in what is made of it.
func TestDistrust(t *testing.T) {
	const want = "Not to be trusted: softnet dropped moved by 16, 8 drops of that traced."
	source := func() *script { return withCounters(sample(), 0, 16) }
	p, err := Draw([]Recording{{"a", source()}}, StackOptions{})
	if err != nil || !strings.Contains(strings.Join(p.Options.Notes, "\n"), want) {
		t.Errorf("picture: %q, error %v", p.Options.Notes, err)
	}
	if p, err = DrawChange([]Recording{{"a", source()}, {"b", source()}}, StackOptions{}, 0.1); err != nil || !strings.Contains(strings.Join(p.Options.Notes, "\n"), want) {
		t.Errorf("picture of a change: %q, error %v", p.Options.Notes, err)
	}
	prof, _, err := PProf(source(), PProfOptions{})
	if err != nil || !strings.Contains(strings.Join(prof.Comments, "\n"), want) {
		t.Errorf("profile: %q, error %v", prof.Comments, err)
	}
	c, err := Compare([]Recording{{"a", source()}, {"b", source()}}, CompareOptions{By: Dimensions()[:1]})
	if err != nil || len(c.Sides[1].Remarks) != 1 || c.Sides[1].Remarks[0] != want {
		t.Errorf("comparison: %q, error %v", c.Sides[1].Remarks, err)
	}
}

// TestUnseenChange compares what only counters tell of.
func TestUnseenChange(t *testing.T) {
	c, err := Compare([]Recording{{"a", withCounters(sample(), 5000, 8)}, {"b", withCounters(sample(), 0, 8)}}, CompareOptions{By: Dimensions()[:2]})
	if err != nil {
		t.Fatal(err)
	}
	first := c.Changes[0]
	if diff := cmp.Diff([]string{"rx_missed_errors", "[nic] eth0"}, first.Key); diff != "" || first.Class != ClassGone {
		t.Errorf("class %s, -want +got:\n%s", first.Class, diff)
	}
	if c.Total.Delta != first.Delta || first.Delta >= 0 {
		t.Errorf("the total fell by %g, the ring's loss by %g", c.Total.Delta, first.Delta)
	}
}

// TestManyDistrusted has more counters disagree with the trace than are named.
func TestManyDistrusted(t *testing.T) {
	s := sample()
	at := func(times uint64) *event.Counters {
		e := new(event.Counters)
		for i := range uint64(500) {
			e.Readings = append(e.Readings, event.Reading{
				Counter: event.Counter{Source: event.CounterProtocol, Name: "UdpInErrors", Netns: event.Netns{Inode: uint32(i + 1)}},
				Value:   times * (i + 1),
			})
		}
		return e
	}
	last := len(s.events) - 1
	s.events = slices.Concat([]event.Event{at(0)}, s.events[:last], []event.Event{at(1), s.events[last]})
	sums, err := Fold(s, StackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	lines := sums.Remarks()
	if len(lines) != maxDistrusted+1 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, want := range map[int]string{
		0:             "Not to be trusted: protocol UdpInErrors in 500 moved by 500, 0 drops of that traced.",
		maxDistrusted: "Not to be trusted: 490 more counters as well.",
	} {
		if lines[i] != want {
			t.Errorf("line %d: %q, want %q", i, lines[i], want)
		}
	}
}
