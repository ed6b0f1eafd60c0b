// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// check finds what no stall may be.
func check(t *testing.T, s *stall.Stall) {
	t.Helper()
	if s.End < s.Start || s.Duration() < 0 {
		t.Errorf("from %v to %v", s.Start, s.End)
	}
	var sum time.Duration
	shares := 0.0
	for _, p := range s.Parts {
		if p.Duration <= 0 || p.Share < 0 || p.Share > 1 {
			t.Errorf("%s for %v, share %v", p.What(), p.Duration, p.Share)
		}
		sum += p.Duration
		shares += p.Share
	}
	if sum != s.Duration() {
		t.Errorf("parts sum to %v, want %v", sum, s.Duration())
	}
	if math.Abs(shares-1) > 1e-6 || s.Accounted < 0 || s.Accounted > 1 {
		t.Errorf("shares sum to %v, %v accounted", shares, s.Accounted)
	}
	blamesNobody := s.Verdict == stall.Unexplained || s.Verdict == stall.Steal || s.Verdict == stall.IdleExit
	if blamesNobody != (s.Culprit == nil) {
		t.Errorf("%s blames %+v", s.Verdict, s.Culprit)
	}
	if s.Accounted < 0.7 && s.Verdict != stall.Unexplained && s.Verdict != stall.Steal {
		t.Errorf("%s with %v accounted", s.Verdict, s.Accounted)
	}
	if s.Agreeing > s.Samples || s.Samples > maxSamples || uint64(len(s.Late)) > s.LateCount {
		t.Errorf("%d of %d samples agree, %d packets of %d", s.Agreeing, s.Samples, len(s.Late), s.LateCount)
	}
	for i := range s.Late {
		if d, _ := s.Delay(&s.Late[i]); d < 0 {
			t.Errorf("packet %d waited %v", i, d)
		}
	}
	if s.Sentence() == "" {
		t.Error("no sentence")
	}
}

// chance makes events up.
type chance struct{ *rand.Rand }

func (c chance) time(max float64) time.Duration { return ms(c.Float64() * max) }

func (c chance) task() event.Task {
	return []event.Task{idleTask, spinner, builder, cadvisor, napi, ksoftirq1}[c.IntN(6)]
}

func (c chance) interrupted() event.Interrupted {
	counts := []uint32{0, 0x10000, 0x10101, 0x10200, 0x10201, 0x10301}
	at := event.Interrupted{
		Task: c.task(), Kthread: c.IntN(2) == 0, PreemptCount: counts[c.IntN(len(counts))], CountKnown: c.IntN(8) > 0,
		Vector: int8(c.IntN(12) - 1), VectorSince: c.time(100), IRQ: int32(c.IntN(3) - 1), IRQSince: c.time(100), Policy: uint8(c.IntN(3)),
	}
	if c.IntN(4) == 0 {
		at.Timer, at.TimerSince = frame("estimation_timer"), c.time(100)
	}
	return at
}

func (c chance) edge(at time.Duration) event.Edge {
	return event.Edge{
		Time: at, Kind: event.EdgeKind(c.IntN(9)), Vector: uint8(c.IntN(10)), IRQ: int32(c.IntN(3)), Handler: "eth0",
		Function: frame("process_timeout"), Task: c.task(), Policy: uint8(c.IntN(3)), Kthread: c.IntN(2) == 0,
	}
}

// scene makes a window up: edges mostly in order, everything else anywhere near.
func (c chance) scene() scene {
	w := &event.Window{
		CPU: c.IntN(2), Waiter: event.Waiter(c.IntN(3)), Start: c.time(20), Served: c.time(100), Done: c.time(120),
		Raised: c.time(60) * time.Duration(c.IntN(2)), At: c.interrupted(), EdgesLost: uint32(c.IntN(4) / 3), Stolen: c.time(30),
		StolenKnown: c.IntN(2) == 0, Ticks: uint32(c.IntN(20)), Period: ms(4) * time.Duration(c.IntN(2)), Late: uint64(c.IntN(4)),
		ThreadPID: napi.PID, Polls: event.Polls{Runs: uint32(c.IntN(4)), Packets: uint64(c.IntN(100)), Squeezed: uint32(c.IntN(4))},
	}
	if c.IntN(3) == 0 {
		w.Blocked = &event.Blocked{From: c.time(100), Till: c.time(100), Late: c.IntN(2) == 0}
	}
	for at := w.Start; at < ms(110) && len(w.Edges) < 64; at += c.time(8) - ms(0.5) {
		w.Edges = append(w.Edges, c.edge(at))
	}
	s := scene{window: w}
	for range c.IntN(30) {
		sample := event.CPUSample{CPU: w.CPU, Window: w.Start, Time: c.time(110), At: c.interrupted(), PendingKnown: c.IntN(4) > 0, Pending: uint32(c.IntN(16))}
		if c.IntN(8) == 0 {
			sample.Late = c.time(20)
		}
		if c.IntN(2) == 0 {
			sample.Stack, sample.Syscall = ticked(readFrames), &event.Syscall{Number: c.IntN(600)}
		}
		s.samples = append(s.samples, sample)
	}
	for range c.IntN(4) {
		p := packet(w, 0, 0)
		p.Queued, p.Time = c.time(110)*time.Duration(c.IntN(2)), c.time(120)
		s.packets = append(s.packets, p)
	}
	return s
}

// TestPartsSum plays windows that no kernel would send.
func TestPartsSum(t *testing.T) {
	c := chance{rand.New(rand.NewPCG(1, 2))}
	tracker, verdicts := New(Config{Threshold: ms(1), Arch: "arm64"}), map[stall.Verdict]int{}
	other := New(Config{Threshold: ms(1), Arch: "arm64"})
	for range 2000 {
		scene := c.scene()
		again := scene.play(other)
		if s := scene.play(tracker); s != nil {
			check(t, s)
			if d := diff(again, s); d != "" {
				t.Errorf("the same events gave another stall:\n%s", d)
			}
			verdicts[s.Verdict]++
		}
		if t.Failed() {
			t.Fatalf("window %+v", scene.window)
		}
	}
	stats := tracker.Stats()
	if sum := stats.Stalls + stats.Invalid + stats.Empty + stats.Stale + stats.Short + stats.Twice; sum != stats.Windows {
		t.Errorf("%+v: %d of %d windows", stats, sum, stats.Windows)
	}
	t.Logf("%+v of %+v", verdicts, stats)
	for _, v := range []stall.Verdict{
		stall.TickDeferral, stall.BHOff, stall.HardirqLong, stall.OtherSoftirq, stall.RTStarve, stall.CPUContention, stall.NetRXBudget, stall.NetRXSlow,
		stall.Steal, stall.IdleExit, stall.Unexplained,
	} {
		if verdicts[v] == 0 {
			t.Errorf("no window gave %s", v)
		}
	}
}
