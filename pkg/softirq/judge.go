// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"slices"
	"strings"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// candidate is a verdict and the evidence for it.
type candidate struct {
	verdict  stall.Verdict
	blamed   time.Duration // part of the wait that goes to the culprit
	named    bool          // the culprit is a handler or vector with a name, an entry and an exit
	capped   bool          // confidence is medium at most
	doubtful bool          // confidence is low
	deferred bool          // softirqs were deferred to a thread
	culprit  *stall.Culprit
	agreeing []event.CPUSample
	stack    bool          // the stacks of agreeing samples show the culprit
	softirq  bool          // the culprit runs in a softirq, not in a task
	idleExit time.Duration // length of the idle exit, 0 if the CPU did not idle
}

// judgement weighs the evidence of one wait. Nothing changes it.
type judgement struct {
	evidence  *evidence
	wait      wait
	account   account
	samples   []event.CPUSample // in the wait
	syscalls  kernel.Syscalls
	idleExits idleExitHistory
}

// judge returns the stall for a wait. It remembers an idle exit for the next one.
func (t *Tracker) judge(e *evidence, w wait, c *cpu) *stall.Stall {
	j := &judgement{
		evidence: e, wait: w, account: newAccount(w, stolen(e.window, w)), samples: samplesIn(e.samples, w),
		syscalls: t.syscalls, idleExits: c.idleExits,
	}
	f := j.find()
	if f.idleExit > 0 {
		c.idleExits = c.idleExits.with(f.idleExit)
	}
	s := j.stall(f)
	s.HintTopic, s.Hint = stall.HintFor(s)
	if t.config.Hint != nil {
		s.Hint = joinHints(s.Hint, t.config.Hint(s))
	}
	return s
}

// samplesIn returns the samples in a wait, and a late one that was due in it: once interrupts
// are enabled again, network work may begin before the tick is handled.
func samplesIn(samples []event.CPUSample, w wait) []event.CPUSample {
	return filter(samples, func(s *event.CPUSample) bool {
		isDue := s.Late > 0 && s.Time-s.Late < w.end && s.Time <= w.end+slack
		return s.Time >= w.start && (s.Time <= w.end || isDue)
	})
}

// expected returns the number of samples that were due in the wait.
func (j *judgement) expected() int {
	e, w := j.evidence, j.wait
	from := max(w.start, instantOf(e.window, w.end)+e.delay)
	if e.window.Period <= 0 || from >= w.end {
		return 0
	}
	return int((w.end - from) / e.window.Period)
}

// joinHints returns the hints that are not empty, separated by semicolons.
func joinHints(hints ...string) string {
	return strings.Join(slices.DeleteFunc(hints, func(h string) bool { return h == "" }), "; ")
}

// stall returns the stall with the verdict of a candidate.
func (j *judgement) stall(f candidate) *stall.Stall {
	e, w := j.evidence, j.wait
	s := &stall.Stall{
		CPU: e.window.CPU, Waiter: e.window.Waiter, Thread: e.waiter(),
		Start: w.start, End: w.end, Bound: w.bound, Drained: e.drained(w.end),
		Verdict: f.verdict, Culprit: f.culprit, Parts: j.account.parts(),
		Late: e.arrivals.waited, LateCount: e.arrivals.late, LateMore: e.window.Cut && e.arrivals.late > 0,
		Samples: len(j.samples), Agreeing: len(f.agreeing), Expected: j.expected(), SamplesLeft: e.left,
		Accounted:   1 - j.account.share(activity{kind: stall.PartUnaccounted}),
		EdgesLost:   e.window.EdgesLost,
		Unavailable: unavailable(e.window, j.samples), Polls: e.window.Polls,
	}
	if w.slowPackets {
		s.Waiter = event.WaiterPackets
	}
	s.Deferred = f.deferred && s.Waiter != event.WaiterThread
	if e.window.Woken != 0 {
		s.CPU = e.window.WaitedCPU
		if s.CPU != e.window.CPU {
			s.Moved, s.RanOn = true, e.window.CPU
		}
	}
	s.Confidence = confidence(s, f)
	switch {
	case f.softirq:
		s.Stack = softirqStack(f.agreeing)
	case f.stack:
		s.Stack, s.User = commonStack(f.agreeing)
	}
	if f.verdict == stall.NetRXSlow || f.verdict == stall.NetRXBudget {
		s.PerPacket = j.perPacket()
	}
	return s
}

// find returns the verdict. Stolen and unaccounted time come first; then the activity with
// the most time decides, and of equal ones the first in the list.
func (j *judgement) find() candidate {
	stolen := j.account.spent[activity{kind: stall.PartStolen}]
	switch {
	case 2*stolen >= j.account.total:
		return candidate{verdict: stall.Steal, blamed: stolen, capped: true, agreeing: lateSamples(j.samples)}
	case 10*j.account.spent[activity{kind: stall.PartUnaccounted}] > 3*j.account.total:
		return candidate{verdict: stall.Unexplained}
	}
	candidates := []struct {
		spent time.Duration
		find  func(time.Duration) candidate
	}{
		{j.account.of(isHardirq), j.hardirq},
		{j.account.of(j.isOtherSoftirq), j.otherSoftirq},
		{j.account.of(j.isNetworkWork), j.network},
		{j.account.of(isIRQsOff), j.irqsOff},
		{j.account.of(isIdle), j.idle},
		{j.account.of(j.isTask), j.tasks},
	}
	most := candidates[0]
	for _, candidate := range candidates[1:] {
		if candidate.spent > most.spent {
			most = candidate
		}
	}
	if most.spent == 0 {
		return candidate{verdict: stall.Unexplained}
	}
	return most.find(most.spent)
}

func isHardirq(w activity) bool { return w.kind == stall.PartHardirq }
func isIRQsOff(w activity) bool { return w.kind == stall.PartIRQsOff }
func isIdle(w activity) bool    { return w.kind == stall.PartIdle }

func (j *judgement) isOtherSoftirq(w activity) bool {
	return w.kind == stall.PartSoftirq && w.vector != kernel.NetRXSoftirq
}

func (j *judgement) isTask(w activity) bool { return w.kind == stall.PartTask && !j.isNetworkWork(w) }

// isNetworkWork reports whether an activity handles packets. If a thread waited, other
// network threads are tasks like any other.
func (j *judgement) isNetworkWork(w activity) bool {
	switch {
	case w.kind == stall.PartSoftirq:
		return w.vector == kernel.NetRXSoftirq
	case w.kind != stall.PartTask, j.evidence.window.Waiter == event.WaiterThread:
		return false
	}
	return kernel.IsNetworkThread(w.comm, j.sched(w.pid).kthread)
}

// largest returns the activity with the most time among those that meet a condition, and
// its time; 0 if there is none.
func (j *judgement) largest(is func(activity) bool) (activity, time.Duration) {
	for _, w := range j.account.sorted() {
		if is(w) {
			return w, j.account.spent[w]
		}
	}
	return activity{}, 0
}

// lateSamples returns the samples whose tick came late.
func lateSamples(samples []event.CPUSample) []event.CPUSample {
	return filter(samples, func(s *event.CPUSample) bool { return s.Late > 0 })
}

// filter returns the samples that meet a condition.
func filter(samples []event.CPUSample, keep func(*event.CPUSample) bool) []event.CPUSample {
	var kept []event.CPUSample
	for i := range samples {
		if keep(&samples[i]) {
			kept = append(kept, samples[i])
		}
	}
	return kept
}
