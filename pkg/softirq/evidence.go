// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// evidence is what is known of one window. Nothing changes it once it is made.
type evidence struct {
	window  *event.Window
	delay   time.Duration     // for how long NET_RX must be pending until the sampler works
	samples []event.CPUSample // by Time
	left    int               // samples that were one too many
	missing bool              // the sampler worked when no sample came
	stride  int               // one sample in so many was kept

	arrivals    arrivals
	blocked     *event.Blocked // as far as it is credible
	singleTimer bool           // on the word of one timer
	origin      time.Duration  // Start of the window, as far as it is credible
	end         time.Duration  // of the window: when the work began, or was done
	slowPackets bool           // packets waited behind others, not for the softirq
}

// horizon is how far from a recording's start a time can be: nine years. It keeps ten
// times the sum of two in range.
const horizon = time.Duration(1) << 58

// sane reports whether times are such that can be added.
func sane(times ...time.Duration) bool {
	for _, t := range times {
		if t <= -horizon || t >= horizon {
			return false
		}
	}
	return true
}

// newEvidence prepares a window and what came before it. Nothing was seen of the CPU
// by earlier windows after alive. It returns nil if the window contradicts itself.
func newEvidence(w *event.Window, g *group, alive time.Duration, config Config) *evidence {
	slowPackets, end := w.Waiter == event.WaiterPackets, w.Served
	if slowPackets {
		end = max(w.Served, w.Done)
	}
	if !sane(w.Start, w.Served, w.Done, w.Raised, w.Stolen, w.Woken, w.Longest, w.LongestEnd) || w.Longest < 0 || w.Start > end || w.CPU < 0 {
		return nil
	}
	delay := event.SamplerDelay(config.Recorded)
	blocked, singleTimer := credibleBlocked(w, g.samples, delay, alive)
	origin := w.Start
	if !slowPackets {
		origin = min(max(origin, earliest(w, end, blocked)), end)
	}
	arrivals := arrivalsOf(w, end, g.packets, config.Threshold)
	if moved := reachBack(blocked, &arrivals, w.Period); moved != blocked {
		window := *w
		window.Start = min(w.Start, moved.From)
		w, blocked, origin = &window, moved, min(origin, moved.From)
	}
	return &evidence{
		window: w, delay: delay, samples: g.samples, left: g.samplesLeft, stride: g.stride,
		missing: uint64(w.Ticks) > uint64(g.samplesSeen), arrivals: arrivals,
		blocked: blocked, singleTimer: singleTimer, origin: origin, end: end, slowPackets: slowPackets,
	}
}

// earliest returns since when there is evidence that network work was kept waiting.
func earliest(w *event.Window, end time.Duration, blocked *event.Blocked) time.Duration {
	if blocked != nil {
		return min(instantOf(w, end), blocked.From)
	}
	return instantOf(w, end)
}

// instantOf returns the time for which Window.At holds.
func instantOf(w *event.Window, end time.Duration) time.Duration {
	switch {
	case w.Waiter == event.WaiterPackets:
		return w.Start
	case w.Raised != 0:
		return min(max(w.Raised, w.Start), end)
	}
	return end
}

// instant returns the time for which Window.At holds.
func (e *evidence) instant() time.Duration { return instantOf(e.window, e.end) }

// raised reports whether network work was seen to be pending before its turn.
func (e *evidence) raised() bool { return e.window.Raised != 0 }

// isWaiter reports whether time seems to have gone to the thread that had to wait, which
// nothing can show that was seen rightly.
func (e *evidence) isWaiter(w *activity) bool {
	return e.window.Waiter == event.WaiterThread && w.kind == stall.PartTask && w.pid == e.window.ThreadPID
}

// waiter returns the thread that had to wait, as far as edges name it.
func (e *evidence) waiter() event.Task {
	if e.window.Waiter != event.WaiterThread {
		return event.Task{}
	}
	for i := range e.window.Edges {
		edge := &e.window.Edges[i]
		isTask := edge.Kind == event.EdgeWake || edge.Kind == event.EdgeSwitch
		if isTask && edge.Task.PID == e.window.ThreadPID {
			return event.Task{PID: edge.Task.PID, TGID: edge.Task.TGID, Comm: edge.Task.Comm}
		}
	}
	return event.Task{PID: e.window.ThreadPID}
}

// backOn returns where interrupts came back on: what the late tick interrupted, or
// else what the raise did.
func (e *evidence) backOn() *event.Interrupted {
	for i := len(e.samples) - 1; i >= 0; i-- {
		if s := &e.samples[i]; s.Late > 0 && s.Time >= e.blocked.Till-slack && s.Time <= e.blocked.Till+slack {
			return &s.At
		}
	}
	return &e.window.At
}
