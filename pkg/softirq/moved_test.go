// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// onCPU is a part of the wait of a NAPI thread, which was woken at 100.
func onCPU(number int, from, till float64, task event.Task, policy uint8, priority int16) scene {
	at := interrupted(task, 0)
	at.Policy, at.Priority = policy, priority
	w := raised(from, till, at)
	w.CPU, w.Waiter, w.ThreadPID, w.Woken, w.WaitedCPU = number, event.WaiterThread, napi.PID, ms(100), 0
	w.Edges = []event.Edge{wakeEdge(from, napi)}
	s := scene{window: w}
	at.PreemptCount = 0x10000
	s.samples = sampled(w, from+4, int(till-from)/4-1, event.CPUSample{At: at})
	return s
}

// TestMoved has a thread wait on one CPU and have its turn on another.
func TestMoved(t *testing.T) {
	first := onCPU(0, 100, 120, spinner, kernel.SchedFIFO, 49)
	first.window.Moved = true
	last := onCPU(1, 120, 132, builder, 0, 120)
	last.packets = []event.LatePacket{packet(last.window, 0, 132.1)}
	tracker := New(Config{})
	if s := first.play(tracker); s != nil {
		t.Fatalf("told of a part: %s", s.Sentence())
	}
	got := last.play(tracker)
	if got == nil {
		t.Fatal("told nothing")
	}
	want := &told{stall.RTStarve, ms(100), ms(132), "spin", stall.Medium, false}
	if diff := cmp.Diff(want, tell(got)); diff != "" {
		t.Errorf("stall (-want +got):\n%s", diff)
	}
	if got.CPU != 0 || !got.Moved || got.RanOn != 1 {
		t.Errorf("waited on CPU %d, moved %t, ran on %d", got.CPU, got.Moved, got.RanOn)
	}
	parts := []stall.Part{part(stall.Part{Kind: stall.PartTask, Task: spinner}, 20, 32), part(stall.Part{Kind: stall.PartTask, Task: builder}, 12, 32)}
	if diff := cmp.Diff(parts, got.Parts); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	says := "napi/veth0-1 on CPU 0, before it ran on CPU 1, waited 32 ms because real-time task spin (pid 900), SCHED_FIFO priority 50, had the CPU; 1 packet delayed"
	if got.Sentence() != says {
		t.Errorf("got %q, want %q", got.Sentence(), says)
	}
	if s := tracker.Stats(); s != (Stats{Windows: 2, Stalls: 1, Moved: 1}) {
		t.Errorf("stats %+v", s)
	}
}

// TestMovedUnseen blames nobody for the time on a CPU of which nothing came, and nobody for
// what another thread's CPU did.
func TestMovedUnseen(t *testing.T) {
	other := onCPU(0, 100, 120, spinner, kernel.SchedFIFO, 49)
	other.window.Moved, other.window.Woken = true, ms(99)
	last := onCPU(1, 120, 132, builder, 0, 120)
	last.packets = []event.LatePacket{packet(last.window, 0, 132.1)}
	tracker := New(Config{})
	other.play(tracker)
	got := last.play(tracker)
	if got == nil || got.Verdict != stall.Unexplained || got.Culprit != nil || got.Start != ms(100) {
		t.Fatalf("got %+v", tell(got))
	}
	parts := []stall.Part{part(stall.Part{Kind: stall.PartUnaccounted}, 20, 32), part(stall.Part{Kind: stall.PartTask, Task: builder}, 12, 32)}
	if diff := cmp.Diff(parts, got.Parts); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

// TestWaiterIsNotBlamed has a thread that waits seem to have the CPU.
func TestWaiterIsNotBlamed(t *testing.T) {
	s := onCPU(0, 100, 120, napi, 0, 120)
	s.packets = []event.LatePacket{packet(s.window, 0, 120.1)}
	if got := s.play(New(Config{})); got == nil || got.Verdict != stall.Unexplained || got.Culprit != nil {
		t.Errorf("got %+v", tell(got))
	}
}

// TestTwoThreadsWait has two threads wait on a CPU at once: each is told, by the same samples.
func TestTwoThreadsWait(t *testing.T) {
	tracker := New(Config{})
	for i, till := range []float64{124, 128} {
		s := onCPU(0, 100, till, spinner, kernel.SchedFIFO, 49)
		s.packets = []event.LatePacket{packet(s.window, 0, till+0.1)}
		if i == 1 {
			s.samples = nil
			s.window.ThreadPID = 56
		}
		got := s.play(tracker)
		if got == nil || got.Verdict != stall.RTStarve || got.Samples != 5 || got.Confidence != stall.High || got.End != ms(till) {
			t.Errorf("thread %d: got %+v, %+v", i, tell(got), got)
		}
	}
}

// TestLongest takes the kernel side's word for the longest wait behind slow packets, and
// counts those alone that waited for the threshold.
func TestLongest(t *testing.T) {
	w := raised(100, 100, inVector(idleTask, kernel.NetRXSoftirq, 100))
	w.Waiter, w.Raised, w.Done, w.Late = event.WaiterPackets, 0, ms(271), 70
	w.Longest, w.LongestEnd = ms(44.7), ms(200)
	w.Polls = event.Polls{Runs: 2, Polls: 2, Packets: 400, Device: "eth0"}
	s := scene{window: w, packets: []event.LatePacket{packet(w, 150, 160), packet(w, 155.3, 200), packet(w, 266, 270)}}
	s.samples = sampled(w, 102, 40, event.CPUSample{At: inVector(idleTask, kernel.NetRXSoftirq, 100)})
	got := s.play(New(Config{}))
	if got == nil || got.Verdict != stall.NetRXSlow || got.Duration() != ms(44.7) || got.LateCount != 69 || len(got.Late) != 2 {
		t.Fatalf("got %+v, %+v", tell(got), got)
	}
	w.Cut, w.Done = true, ms(272)
	says := "Packets on CPU 1 waited up to 45 ms because NET_RX took 112 µs for a packet on eth0; at least 69 packets delayed"
	if got := s.play(New(Config{})); got.Sentence() != says {
		t.Errorf("got %q, want %q", got.Sentence(), says)
	}
}
