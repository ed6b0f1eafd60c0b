// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// slowestTick is the period of the timer tick where it is not known, CONFIG_HZ=100.
const slowestTick = 10 * time.Millisecond

// tasks tells by what means tasks kept network work waiting.
func (j *judgement) tasks(blamed time.Duration) candidate {
	running := filter(j.samples, func(s *event.CPUSample) bool { return s.At.Task.PID != 0 })
	off := filter(running, isBHOff)
	if 2*len(off) > len(running) || len(running) == 0 && j.raisedWithBHOff() {
		return j.bhOff(off)
	}
	realtime := j.account.of(func(w activity) bool { return j.isTask(w) && kernel.RealTimePolicy(j.sched(w.pid).policy) != "" })
	if !j.isDeferred(running) {
		if j.account.total <= j.tick() && j.evidence.window.Waiter != event.WaiterPackets {
			return j.longest(stall.TickDeferral, blamed)
		}
		return candidate{verdict: stall.Unexplained}
	}
	f, isCall := j.longSyscall(running)
	switch {
	case 2*realtime >= blamed:
		f = j.contention(stall.RTStarve, realtime)
	case !isCall:
		f = j.contention(stall.CPUContention, blamed-realtime)
	}
	f.deferred = true
	return f
}

// isBHOff reports whether a sample shows a task that has bottom halves disabled.
// Those that do network work may.
func isBHOff(s *event.CPUSample) bool {
	return s.At.CountKnown && s.At.PreemptCount&kernel.SoftirqDisabled != 0 && s.At.PreemptCount&kernel.SoftirqServing == 0 &&
		!kernel.IsNetworkThread(s.At.Task.Comm, s.At.Kthread)
}

// isPlain reports whether a sample shows a task that has bottom halves enabled.
func isPlain(s *event.CPUSample) bool {
	return s.At.CountKnown && s.At.PreemptCount&(kernel.SoftirqServing|kernel.SoftirqDisabled) == 0
}

// raisedWithBHOff reports whether bottom halves were off at the raise, and no task was
// switched since. Turning them on again serves what is pending, unless that is left
// to ksoftirqd.
func (j *judgement) raisedWithBHOff() bool {
	at := event.CPUSample{At: j.evidence.window.At}
	if !isBHOff(&at) || j.evidence.window.EdgesLost > 0 || j.evidence.window.Waiter != event.WaiterSoftirq || j.threadWaited() {
		return false
	}
	for i := range j.evidence.window.Edges {
		if edge := &j.evidence.window.Edges[i]; edge.Kind == event.EdgeSwitch && edge.Time < j.wait.end-slack {
			return false
		}
	}
	return true
}

// isDeferred reports whether softirqs were left to a thread; see the package comment.
func (j *judgement) isDeferred(running []event.CPUSample) bool {
	at := &j.evidence.window.At
	switch {
	case j.evidence.window.Waiter == event.WaiterThread:
		return true
	case j.evidence.window.Waiter == event.WaiterPackets:
		return j.evidence.window.Polls.Squeezed > 0 // what a run leaves
	case j.evidence.raised() && at.CountKnown && at.PreemptCount&kernel.HardirqMask != 0 && at.PreemptCount&(kernel.SoftirqServing|kernel.SoftirqDisabled) == 0:
		return true
	}
	plain := filter(running, func(s *event.CPUSample) bool {
		return isPlain(s) && (!s.PendingKnown || s.Pending&(1<<kernel.NetRXSoftirq) != 0)
	})
	return len(plain) >= 2 || j.threadWaited() && j.account.total > j.tick()
}

// threadWaited reports whether ksoftirqd was woken and did not run until the end.
func (j *judgement) threadWaited() bool {
	woken := false
	for i := range j.evidence.window.Edges {
		edge := &j.evidence.window.Edges[i]
		switch {
		case edge.Time >= j.wait.end-slack:
			return woken
		case edge.Kind == event.EdgeWake && kernel.IsKsoftirqd(edge.Task.Comm, true):
			woken = true
		case edge.Kind == event.EdgeSwitch && kernel.IsKsoftirqd(edge.Task.Comm, edge.Kthread):
			woken = false
		}
	}
	return woken
}

// tick returns how long the tick can keep a softirq waiting that nothing else does.
func (j *judgement) tick() time.Duration {
	period := j.evidence.window.Period
	if period <= 0 || period > slowestTick {
		period = slowestTick
	}
	return max(2*period, slowestTick)
}
