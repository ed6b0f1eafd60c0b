// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// slowestTick is the period of the timer tick where it is not known, CONFIG_HZ=100.
const slowestTick = 10 * time.Millisecond

// tasks tells by what means tasks kept network work waiting.
func (t *judgement) tasks(blamed time.Duration) candidate {
	running := filter(t.samples, func(s *event.CPUSample) bool { return s.At.Task.PID != 0 })
	off := filter(running, isBHOff)
	if 2*len(off) > len(running) || len(running) == 0 && t.raisedWithBHOff() {
		return t.bhOff(off)
	}
	realtime := t.of(func(w activity) bool { return t.isTask(w) && realTime(t.sched(w.pid).policy) != "" })
	t.deferred = t.isDeferred(running)
	switch {
	case !t.deferred && t.total <= t.tick() && t.window.Waiter != event.WaiterPackets:
		return t.longest(TickDeferral, blamed)
	case !t.deferred:
		return candidate{verdict: Unexplained}
	case 2*realtime >= blamed:
		return t.contention(RTStarve, realtime)
	}
	if f, ok := t.longSyscall(running); ok {
		return f
	}
	return t.contention(CPUContention, blamed-realtime)
}

// isBHOff reports whether a sample shows a task that has bottom halves disabled.
// Those that do network work may.
func isBHOff(s *event.CPUSample) bool {
	return s.At.CountKnown && s.At.PreemptCount&bhOff != 0 && s.At.PreemptCount&serving == 0 &&
		!isNetwork(s.At.Task, s.At.Kthread)
}

// isPlain reports whether a sample shows a task that has bottom halves enabled.
func isPlain(s *event.CPUSample) bool {
	return s.At.CountKnown && s.At.PreemptCount&(serving|bhOff) == 0
}

// raisedWithBHOff reports whether bottom halves were off at the raise, and no task was
// switched since. Turning them on again serves what is pending, unless that is left
// to ksoftirqd.
func (t *judgement) raisedWithBHOff() bool {
	at := event.CPUSample{At: t.window.At}
	if !isBHOff(&at) || t.window.EdgesLost > 0 || t.window.Waiter != event.WaiterSoftirq || t.threadWaited() {
		return false
	}
	for i := range t.window.Edges {
		if edge := &t.window.Edges[i]; edge.Kind == event.EdgeSwitch && edge.Time < t.wait.end-slack {
			return false
		}
	}
	return true
}

// isDeferred reports whether softirqs were left to a thread; see the package comment.
func (t *judgement) isDeferred(running []event.CPUSample) bool {
	at := &t.window.At
	switch {
	case t.window.Waiter == event.WaiterThread:
		return true
	case t.window.Waiter == event.WaiterPackets:
		return t.window.Polls.Squeezed > 0 // what a run leaves
	case t.raised() && at.CountKnown && at.PreemptCount&hardirqBit != 0 && at.PreemptCount&(serving|bhOff) == 0:
		return true
	}
	plain := filter(running, func(s *event.CPUSample) bool {
		return isPlain(s) && (!s.PendingKnown || s.Pending&(1<<netRX) != 0)
	})
	return len(plain) >= 2 || t.threadWaited() && t.total > t.tick()
}

// threadWaited reports whether ksoftirqd was woken and did not run until the end.
func (t *judgement) threadWaited() bool {
	woken := false
	for i := range t.window.Edges {
		edge := &t.window.Edges[i]
		switch {
		case edge.Time >= t.wait.end-slack:
			return woken
		case edge.Kind == event.EdgeWake && isKsoftirqd(edge.Task, true):
			woken = true
		case edge.Kind == event.EdgeSwitch && isKsoftirqd(edge.Task, edge.Kthread):
			woken = false
		}
	}
	return woken
}

// tick returns how long the tick can keep a softirq waiting that nothing else does.
func (t *judgement) tick() time.Duration {
	period := t.window.Period
	if period <= 0 || period > slowestTick {
		period = slowestTick
	}
	return max(2*period, slowestTick)
}
