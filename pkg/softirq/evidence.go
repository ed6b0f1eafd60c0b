// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// evidence is what is known of one window.
type evidence struct {
	window  *event.Window
	delay   time.Duration     // for how long NET_RX must be pending until the sampler works
	samples []event.CPUSample // by Time
	left    int               // samples that were one too many
	missing bool              // the sampler worked when no sample came
	stride  int               // one sample in so many was kept
	packets []event.LatePacket
	late    uint64 // packets that waited, listed or not
	seen    arrivals

	blocked     *event.Blocked // as far as it is credible
	singleTimer bool           // on the word of one timer
	origin      time.Duration  // Start of the window, as far as it is credible
	segments    []segment      // up to end, from origin or the first packet

	start, end  time.Duration
	bound       bool
	slowPackets bool // packets waited behind others, not for the softirq
	deferred    bool // softirqs were left to a thread
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
	e := &evidence{
		window: w, delay: event.SamplerDelay(config.Recorded), samples: g.samples, left: g.samplesLeft, stride: g.stride,
		packets: g.packets, late: w.Late, end: w.Served, missing: uint64(w.Ticks) > uint64(g.samplesSeen),
	}
	if w.Waiter == event.WaiterPackets {
		e.slowPackets, e.end = true, max(w.Served, w.Done)
	}
	if !sane(w.Start, w.Served, w.Done, w.Raised, w.Stolen, w.Woken, w.Longest, w.LongestEnd) || w.Longest < 0 || w.Start > e.end || w.CPU < 0 {
		return nil
	}
	e.blocked = e.credible(alive)
	e.origin = w.Start
	if !e.slowPackets {
		e.origin = min(max(e.origin, e.earliest()), e.end)
	}
	e.seen = e.arrived(config.Threshold)
	e.reachBack()
	from := e.origin
	if e.seen.known > 0 {
		from = min(from, max(w.Start, e.seen.first))
	}
	e.segments = e.timeline(from)
	return e
}

// reachBack has time with interrupts off begin with a packet that came before the
// timer was due which tells of it: had they been on, it would have been handled. A
// tick is due a period after they went off at most.
func (e *evidence) reachBack() {
	b := e.blocked
	if b == nil || !b.Late || e.seen.known == 0 || e.seen.first >= b.From {
		return
	}
	period := e.window.Period
	if period == 0 {
		period = longestPeriod
	}
	if b.From-e.seen.first > period+time.Millisecond {
		return
	}
	w := *e.window
	w.Start = min(w.Start, e.seen.first)
	e.window, b.From, e.origin = &w, e.seen.first, min(e.origin, e.seen.first)
}

// longestPeriod is that of the tick with the lowest CONFIG_HZ, 100.
const longestPeriod = 10 * time.Millisecond

// earliest returns since when there is evidence that network work was kept waiting.
func (e *evidence) earliest() time.Duration {
	if e.blocked != nil {
		return min(e.instant(), e.blocked.From)
	}
	return e.instant()
}

// instant returns the time for which Window.At holds.
func (e *evidence) instant() time.Duration {
	w := e.window
	switch {
	case w.Waiter == event.WaiterPackets:
		return w.Start
	case w.Raised != 0:
		return min(max(w.Raised, w.Start), e.end)
	}
	return e.end
}

// raised reports whether network work was seen to be pending before its turn.
func (e *evidence) raised() bool { return e.window.Raised != 0 }

// within returns the samples between start and end, and a late one that was due then:
// when interrupts come back on, the tick may be taken after network work has begun.
func (e *evidence) within() []event.CPUSample {
	return filter(e.samples, func(s *event.CPUSample) bool {
		isDue := s.Late > 0 && s.Time-s.Late < e.end && s.Time <= e.end+slack
		return s.Time >= e.start && (s.Time <= e.end || isDue)
	})
}

// expected returns how many samples were due between start and end.
func (e *evidence) expected() int {
	from := max(e.start, e.instant()+e.delay)
	if e.window.Period <= 0 || from >= e.end {
		return 0
	}
	return int((e.end - from) / e.window.Period)
}

// isWaiter reports whether time seems to have gone to the thread that had to wait, which
// nothing can show that was seen rightly.
func (e *evidence) isWaiter(w *activity) bool {
	return e.window.Waiter == event.WaiterThread && w.kind == PartTask && w.pid == e.window.ThreadPID
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
