// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// slowestTick is the longest period of the timer tick, with CONFIG_HZ=100. It stands for
// an unknown period.
const slowestTick = 10 * time.Millisecond

// tasks decides how tasks kept network work waiting.
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

// isBHOff reports whether a sample shows a task with bottom halves disabled. Threads that do
// network work disable them for it and do not count.
func isBHOff(s *event.CPUSample) bool {
	return s.At.CountKnown && s.At.PreemptCount&kernel.SoftirqDisabled != 0 && s.At.PreemptCount&kernel.SoftirqServing == 0 &&
		!kernel.IsNetworkThread(s.At.Task.Comm, s.At.Kthread)
}

// isPlain reports whether a sample shows a task with bottom halves enabled.
func isPlain(s *event.CPUSample) bool {
	return s.At.CountKnown && s.At.PreemptCount&(kernel.SoftirqServing|kernel.SoftirqDisabled) == 0
}

// raisedWithBHOff reports whether bottom halves were disabled at the raise and the task was
// not switched since. local_bh_enable serves pending softirqs, so they stayed disabled,
// unless softirqs were deferred to ksoftirqd.
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

// isDeferred reports whether softirqs were deferred to a thread; see the package comment.
func (j *judgement) isDeferred(running []event.CPUSample) bool {
	at := &j.evidence.window.At
	switch {
	case j.evidence.window.Waiter == event.WaiterThread:
		return true
	case j.evidence.window.Waiter == event.WaiterPackets:
		return j.evidence.window.Polls.Squeezed > 0 // work left by a run
	case j.evidence.raised() && at.CountKnown && at.PreemptCount&kernel.HardirqMask != 0 && at.PreemptCount&(kernel.SoftirqServing|kernel.SoftirqDisabled) == 0:
		return true
	}
	plain := filter(running, func(s *event.CPUSample) bool {
		return isPlain(s) && (!s.PendingKnown || s.Pending&(1<<kernel.NetRXSoftirq) != 0)
	})
	return len(plain) >= 2 || j.threadWaited() && j.account.total > j.tick()
}

// threadWaited reports whether ksoftirqd was woken and did not run before the end.
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

// tick returns the longest wait of a softirq that the next tick serves.
func (j *judgement) tick() time.Duration {
	period := j.evidence.window.Period
	if period <= 0 || period > slowestTick {
		period = slowestTick
	}
	return max(2*period, slowestTick)
}
