// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestUnread counts drops without looking at packets, and compares with what a tracer
// tells that does look, and watches for a shorter time.
func TestUnread(t *testing.T) {
	labtest.NeedRoot(t)
	unread, err := trace.OpenUnread(trace.Config{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	const packets = 500
	var other *seen
	s := watchBy(t, unread, func(*seen) {
		other = watch(t, trace.Config{Exact: true}, func() {
			if _, err := scenario(t, "udp-closed-port").Run(t.Context(), packets); err != nil {
				t.Error(err)
			}
		})
	})
	for _, c := range s.counts {
		if c.Bytes != 0 || c.Cell.Device.Index != 0 || c.Cell.Netns.Inode != 0 || c.Cell.Protocol != 0 {
			t.Errorf("%d drops with what nobody has read: %+v", c.Drops, *c.Cell)
		}
	}
	all := sites(s)
	for at, n := range sites(other) {
		if all[at] < n {
			t.Errorf("%d drops %s at %#x, want %d", all[at], at.reason, at.address, n)
		}
	}
	got, want := stacks(s), stacks(other)
	if len(want) == 0 {
		t.Fatal("no drop of this process was seen")
	}
	for stack, n := range want {
		if got[stack] != n {
			t.Errorf("%d drops at %s, want %d", got[stack], stack, n)
		}
	}
}

// TestRejected counts drops, too, where the verifier has something against the programs
// that read packets, and says what.
func TestRejected(t *testing.T) {
	labtest.NeedRoot(t)
	tracer, err := trace.OpenRejected(trace.Config{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "packets cannot be read; drops carry only reason, location and stack: the verifier: "
	if notes := tracer.Meta().Notes; !slices.ContainsFunc(notes, func(note string) bool { return strings.HasPrefix(note, want) }) {
		t.Errorf("notes %q lack %q", notes, want)
	}
	const packets = 100
	s := watchBy(t, tracer, func(*seen) {
		if _, err := scenario(t, "udp-closed-port").Run(t.Context(), packets); err != nil {
			t.Error(err)
		}
	})
	if s.end.Totals.Drops < packets {
		t.Errorf("%d drops, want %d", s.end.Totals.Drops, packets)
	}
}

type site struct {
	reason  string
	address uint64
}

func sites(s *seen) map[site]uint64 {
	counts := map[site]uint64{}
	for _, c := range s.counts {
		counts[site{c.Cell.Reason.Name, uint64(c.Cell.Location.Addr)}] += c.Drops
	}
	return counts
}

// stacks counts the drops in the context of this process by their reasons and stacks.
func stacks(s *seen) map[string]int {
	counts := map[string]int{}
	for i := range s.drops {
		d := &s.drops[i]
		if int(d.Task.TGID) != os.Getpid() || d.Stack == nil {
			continue
		}
		text := d.Cell.Reason.Name
		for _, f := range d.Stack.Frames {
			text += " " + f.String()
		}
		counts[text]++
	}
	return counts
}
