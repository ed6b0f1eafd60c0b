// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

func containsWords(text, words string) bool { return strings.Contains(text, words) }

// TestManySamples plays a wait of ten seconds: what is kept is bounded, spread over
// all of it, and still says what happened.
func TestManySamples(t *testing.T) {
	const n = 2500
	w := raised(100, 4*n+104, interrupted(spinner, 0x10200))
	s := scene{window: w, samples: sampled(w, 104, n, event.CPUSample{At: interrupted(spinner, 0x10201)})}
	for i := range 1000 {
		s.packets = append(s.packets, packet(w, 100+float64(i), 4*n+105))
	}
	w.Late = 1000
	tracker := New(Config{})
	got := s.play(tracker)
	check(t, got)
	if got.Verdict != stall.BHOff || got.Confidence != stall.High || got.Accounted != 1 {
		t.Errorf("%s, %s, %v accounted", got.Verdict, got.Confidence, got.Accounted)
	}
	if got.Samples+got.SamplesLeft != n || got.Samples > maxSamples || got.Samples < maxSamples/2 || got.Expected != n {
		t.Errorf("%d samples and %d left out of %d, %d expected", got.Samples, got.SamplesLeft, n, got.Expected)
	}
	if len(got.Late) != maxPackets || got.LateCount != 1000 {
		t.Errorf("%d packets of %d", len(got.Late), got.LateCount)
	}
	if left := tracker.Stats().Left; left != uint64(got.SamplesLeft)+1000-maxPackets {
		t.Errorf("%d left out", left)
	}
}

// TestOrphans never sends the windows.
func TestOrphans(t *testing.T) {
	tracker := New(Config{})
	for i := range 100 {
		w := raised(float64(100*i+1), float64(100*i+50), event.Interrupted{})
		scene := scene{samples: sampled(w, float64(100*i+4), 3, event.CPUSample{}), packets: []event.LatePacket{packet(w, 0, float64(100*i+50))}}
		for i := range scene.samples {
			tracker.Add(&scene.samples[i])
		}
		tracker.Add(&scene.packets[0])
	}
	if n := len(tracker.cpus[1].groups); n != maxGroups {
		t.Errorf("%d groups are kept, want %d", n, maxGroups)
	}
	if d := cmp.Diff(Stats{Orphans: 4 * (100 - maxGroups)}, tracker.Stats()); d != "" {
		t.Errorf("stats (-want +got):\n%s", d)
	}
}

func TestManyCPUs(t *testing.T) {
	tracker := New(Config{})
	for i := range maxCPUs + 10 {
		tracker.Add(&event.CPUSample{CPU: i})
		tracker.Add(&event.CPUSample{CPU: -i - 1})
	}
	if len(tracker.cpus) != maxCPUs || tracker.Stats().Orphans != maxCPUs+20 {
		t.Errorf("%d CPUs, %+v", len(tracker.cpus), tracker.Stats())
	}
}

// TestUserStacks keeps one copy of equal ones, and not too many different ones.
func TestUserStacks(t *testing.T) {
	var g group
	for i := range 3 * maxUsers {
		for range 2 {
			g.addSample(&event.CPUSample{User: []event.Frame{{Addr: event.Address(i)}}})
		}
	}
	if len(g.users) != maxUsers || &g.samples[0].User[0] != &g.samples[1].User[0] || g.samples[2*maxUsers].User != nil {
		t.Errorf("%d user stacks", len(g.users))
	}
}

// TestSamplesUnderTheRaise have its time as their window, since the interrupts that
// were off before it are known of later.
func TestSamplesUnderTheRaise(t *testing.T) {
	s := bhOffScene()
	s.window.Start -= ms(3)
	s.window.Blocked = &event.Blocked{From: s.window.Start, Till: ms(999.9), Late: true}
	s.packets[0].Window = s.window.Start
	got := s.play(New(Config{}))
	if got == nil || got.Samples != len(s.samples) || len(got.Late) != 1 {
		t.Fatalf("%+v", got)
	}
}
