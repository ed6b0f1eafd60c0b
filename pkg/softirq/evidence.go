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
	delay   time.Duration     // NET_RX is pending for this long before it is sampled
	samples []event.CPUSample // by Time
	left    int               // samples above the limit
	missing bool              // the sampler ran more often than samples arrived
	stride  int               // one sample in stride was kept

	arrivals    arrivals
	blocked     *event.Blocked // credible part, nil for none
	singleTimer bool           // blocked rests on a single late timer
	origin      time.Duration  // credible begin of the window
	end         time.Duration  // Served; behind slow packets Done
	slowPackets bool           // packets waited behind others, not for NET_RX
}

// horizon bounds times since the start of a recording to nine years, so that ten times the
// sum of two stays in the range of time.Duration.
const horizon = time.Duration(1) << 58

// sane reports whether all times lie within the horizon.
func sane(times ...time.Duration) bool {
	for _, t := range times {
		if t <= -horizon || t >= horizon {
			return false
		}
	}
	return true
}

// newEvidence returns the evidence of a window and of the samples and packets that came
// before it. Earlier windows saw the CPU until alive. It returns nil if the window
// contradicts itself.
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

// earliest returns the begin of the earliest evidence that network work was kept waiting.
func earliest(w *event.Window, end time.Duration, blocked *event.Blocked) time.Duration {
	if blocked != nil {
		return min(instantOf(w, end), blocked.From)
	}
	return instantOf(w, end)
}

// instantOf returns the time at which Window.At was taken.
func instantOf(w *event.Window, end time.Duration) time.Duration {
	switch {
	case w.Waiter == event.WaiterPackets:
		return w.Start
	case w.Raised != 0:
		return min(max(w.Raised, w.Start), end)
	}
	return end
}

// instant returns the time at which Window.At was taken.
func (e *evidence) instant() time.Duration { return instantOf(e.window, e.end) }

// raised reports whether network work was seen pending before it began.
func (e *evidence) raised() bool { return e.window.Raised != 0 }

// isWaiter reports whether an activity is the thread that waited. It cannot have run while
// it waited, so a switch is missing.
func (e *evidence) isWaiter(w *activity) bool {
	return e.window.Waiter == event.WaiterThread && w.kind == stall.PartTask && w.pid == e.window.ThreadPID
}

// waiter returns the thread that waited, with a name if an edge has it; the zero Task if
// no thread waited.
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

// backOn returns where interrupts were enabled again: what the late tick interrupted, or
// if it has no sample, what the raise interrupted.
func (e *evidence) backOn() *event.Interrupted {
	for i := len(e.samples) - 1; i >= 0; i-- {
		if s := &e.samples[i]; s.Late > 0 && s.Time >= e.blocked.Till-slack && s.Time <= e.blocked.Till+slack {
			return &s.At
		}
	}
	return &e.window.At
}
