// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

func TestOtherEvents(t *testing.T) {
	tracker := New(Config{})
	for _, e := range []event.Event{&event.Drop{}, &event.Tick{}, &event.Echo{}, &event.End{}} {
		if s := tracker.Add(e); s != nil {
			t.Errorf("%T gave %+v", e, s)
		}
	}
	if d := cmp.Diff(Stats{}, tracker.Stats()); d != "" {
		t.Errorf("stats (-want +got):\n%s", d)
	}
}

func TestThreshold(t *testing.T) {
	for name, test := range map[string]struct {
		threshold float64
		want      bool
	}{"default": {0, true}, "as long as the wait": {99, true}, "longer": {101, false}} {
		t.Run(name, func(t *testing.T) {
			if s := longSyscallScene().play(New(Config{Threshold: ms(test.threshold)})); (s != nil) != test.want {
				t.Errorf("stall %+v", s)
			}
		})
	}
}

// TestRecorded plays a wait of 3 ms that a recorder with a threshold of 1 ms told of: its
// sampler began after half a millisecond.
func TestRecorded(t *testing.T) {
	w := raised(100, 103, interrupted(spinner, 0x10201))
	w.Period, w.Ticks = ms(1), 2
	s := scene{window: w, samples: sampled(w, 101, 1, event.CPUSample{At: interrupted(spinner, 0x10201)})}
	for name, test := range map[string]struct {
		meta     event.Meta
		expected int // samples; -1: no stall
	}{
		"1ms":     {event.Meta{StallThreshold: ms(1)}, 2},
		"4ms":     {event.Meta{StallThreshold: ms(4)}, -1},
		"unknown": {event.Meta{}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			got := -1
			if found := s.play(New(ConfigOf(&test.meta))); found != nil {
				got = found.Expected
			}
			if got != test.expected {
				t.Errorf("%d samples expected, want %d", got, test.expected)
			}
		})
	}
}

// TestSeenTwice plays one wait as NET_RX's and as that of ksoftirqd.
func TestSeenTwice(t *testing.T) {
	tracker := New(Config{})
	first := plain(100, 150, 1<<kernel.NetRXSoftirq, packet(cpu1, 100, 150.1))
	second := change(plain(100, 150.05, 1<<kernel.NetRXSoftirq, packet(cpu1, 100, 150.1)), func(w *event.Window) {
		w.Waiter, w.ThreadPID, w.Edges = event.WaiterThread, ksoftirq1.PID, []event.Edge{wakeEdge(100, ksoftirq1)}
	})
	another := change(plain(100, 150.05, 1<<kernel.NetRXSoftirq, packet(cpu1, 100, 150.1)), func(w *event.Window) {
		w.Waiter, w.ThreadPID, w.Edges = event.WaiterThread, napi.PID, []event.Edge{wakeEdge(100, napi)}
	})
	for i, s := range []scene{first, second, another} {
		if got := s.play(tracker); (got == nil) != (i == 1) {
			t.Errorf("window %d: %+v", i, got)
		}
	}
	if d := cmp.Diff(Stats{Windows: 3, Stalls: 2, Twice: 1}, tracker.Stats()); d != "" {
		t.Errorf("stats (-want +got):\n%s", d)
	}
}

// TestBusyTime plays windows of packets that all begin when NET_RX did.
func TestBusyTime(t *testing.T) {
	tracker := New(Config{})
	var got []told
	for _, till := range []float64{420, 423, 440} {
		s := floodScene()
		s.window.Done = ms(till)
		for i := range s.samples {
			s.samples[i].Time += ms(till) - ms(420)
		}
		s.packets = []event.LatePacket{packet(s.window, 401, till)}
		if found := s.play(tracker); found != nil {
			check(t, found)
			got = append(got, *tell(found))
			if want := fmt.Sprintf("up to %.0f ms", till-401); !containsWords(found.Sentence(), want) {
				t.Errorf("%q lacks %q", found.Sentence(), want)
			}
		}
	}
	want := []told{
		{stall.NetRXBudget, ms(401), ms(420), "", stall.High, false},
		{stall.NetRXBudget, ms(420), ms(440), "", stall.High, false},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("stalls (-want +got):\n%s", d)
	}
}

func TestIdleExitIsLearned(t *testing.T) {
	tracker := New(Config{})
	var got []told
	for i, length := range []float64{8, 9, 30, 10, 9, 40} {
		s := idleScene(float64(1000*i+1000), length).play(tracker)
		check(t, s)
		got = append(got, told{Verdict: s.Verdict, Confidence: s.Confidence})
	}
	want := []told{
		{Verdict: stall.IdleExit, Confidence: stall.Low}, {Verdict: stall.IdleExit, Confidence: stall.Low}, {Verdict: stall.Unexplained, Confidence: stall.Low},
		{Verdict: stall.IdleExit, Confidence: stall.Medium}, {Verdict: stall.IdleExit, Confidence: stall.Medium}, {Verdict: stall.Unexplained, Confidence: stall.Low},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("stalls (-want +got):\n%s", d)
	}
}

// TestLostEdges has samples stand for what edges do not tell any more.
func TestLostEdges(t *testing.T) {
	s := contentionScene()
	s.window.Edges, s.window.EdgesLost = s.window.Edges[:1], 300
	got := s.play(New(Config{}))
	want := []stall.Part{taskPart(spinner, 40, 60), taskPart(builder, 20, 60)}
	if d := diff(&stall.Stall{Parts: want}, &stall.Stall{Parts: got.Parts}); d != "" {
		t.Errorf("parts (-want +got):\n%s", d)
	}
	if got.Verdict != stall.CPUContention || got.Confidence != stall.High || got.EdgesLost != 300 {
		t.Errorf("%s, %s, %d edges lost", got.Verdict, got.Confidence, got.EdgesLost)
	}
}

// TestUnseenRuns has a switch in a busy time of a recorder that keeps no edges of
// NET_RX.
func TestUnseenRuns(t *testing.T) {
	s := floodScene()
	s.window.Edges = []event.Edge{switchEdge(404, builder, 0, 120)}
	for i := 1; i < len(s.samples); i++ {
		s.samples[i].At = inVector(builder, kernel.NetRXSoftirq, 405)
	}
	got := s.play(New(Config{}))
	want := []stall.Part{part(stall.Part{Kind: stall.PartSoftirq, Softirq: "NET_RX"}, 17.5, 19), taskPart(builder, 1.5, 19)}
	if d := diff(&stall.Stall{Parts: want}, &stall.Stall{Parts: got.Parts}); d != "" || got.Verdict != stall.NetRXBudget {
		t.Errorf("%s, parts (-want +got):\n%s", got.Verdict, d)
	}
}

// TestSlowDrain has packets that waited long, though NET_RX was entered soon.
func TestSlowDrain(t *testing.T) {
	w := raised(100, 102, interrupted(builder, 0x10000))
	w.Done, w.Late, w.Polls = ms(130), 40, event.Polls{Runs: 1, Polls: 1, Packets: 40, Device: "eth0"}
	s := scene{window: w, packets: []event.LatePacket{packet(w, 100, 103), packet(w, 101, 130)}}
	got := tell(s.play(New(Config{})))
	if d := cmp.Diff(&told{stall.NetRXSlow, ms(100), ms(130), "", stall.Medium, false}, got); d != "" {
		t.Errorf("stall (-want +got):\n%s", d)
	}
}

func TestHintIsAdded(t *testing.T) {
	hint := func(s *stall.Stall) string {
		if s.HintTopic == stall.TopicCgroup {
			return "this node has 1500 of them"
		}
		return ""
	}
	if got, want := longSyscallScene().play(New(Config{Arch: "amd64", Hint: hint})).Hint, "; this node has 1500 of them"; !containsWords(got, want) {
		t.Errorf("hint %q lacks %q", got, want)
	}
	if got := bhOffScene().play(New(Config{Hint: hint})).Hint; got != "" {
		t.Errorf("hint %q, want none", got)
	}
}
