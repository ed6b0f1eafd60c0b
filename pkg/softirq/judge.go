// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// candidate is a verdict on its way to a Stall.
type candidate struct {
	verdict  Verdict
	blamed   time.Duration // of the window, spent on what is blamed
	named    bool          // by entry and exit of something that has a name
	capped   bool          // never of high confidence
	doubtful bool          // of low confidence whatever else holds
	culprit  *Culprit
	agreeing []event.CPUSample
	stack    bool // the samples' stacks show what is blamed
	softirq  bool // which is in a softirq, not in a task
}

// judge makes a stall of evidence and when packets waited.
func (t *Tracker) judge(e *evidence, w wait, c *cpu) *Stall {
	a := e.account(w)
	within := e.within(w)
	s := &Stall{
		CPU: e.window.CPU, Waiter: e.window.Waiter, Thread: e.waiter(),
		Start: w.start, End: w.end, Bound: w.bound, Drained: e.drained(w.end),
		Parts: a.parts(), Late: e.arrivals.waited, LateCount: e.arrivals.late, LateMore: e.window.Cut && e.arrivals.late > 0,
		Samples: len(within), Expected: e.expected(w), SamplesLeft: e.left,
		Accounted:   1 - a.share(a.spent[activity{kind: PartUnaccounted}]),
		EdgesLost:   e.window.EdgesLost,
		Unavailable: e.unavailable(within), Polls: e.window.Polls,
	}
	if w.slowPackets {
		s.Waiter = event.WaiterPackets
	}
	if e.window.Woken != 0 {
		s.CPU = e.window.WaitedCPU
		if s.CPU != e.window.CPU {
			s.Moved, s.RanOn = true, e.window.CPU
		}
	}
	tr := &judgement{evidence: e, wait: w, account: a, samples: within, names: t.names, idleExitHistory: &c.idle}
	f := tr.find()
	s.Verdict, s.Culprit, s.Agreeing, s.Deferred = f.verdict, f.culprit, len(f.agreeing), e.deferred && s.Waiter != event.WaiterThread
	s.Confidence = s.confidence(f)
	switch {
	case f.softirq:
		s.Stack = softirqStack(f.agreeing)
	case f.stack:
		s.Stack, s.User = commonStack(f.agreeing)
	}
	if f.verdict == NetRXSlow || f.verdict == NetRXBudget {
		s.PerPacket = tr.perPacket()
	}
	t.hint(s)
	return s
}

// judgement weighs the evidence of one window.
type judgement struct {
	*evidence
	account
	wait            wait
	samples         []event.CPUSample // within the stall
	names           syscallNames
	idleExitHistory *idleExitHistory
}

// find chooses the verdict.
func (t *judgement) find() candidate {
	stolen := t.spent[activity{kind: PartStolen}]
	switch {
	case 2*stolen >= t.total:
		return candidate{verdict: Steal, blamed: stolen, capped: true, agreeing: t.late(t.samples)}
	case 10*t.spent[activity{kind: PartUnaccounted}] > 3*t.total:
		return candidate{verdict: Unexplained}
	}
	candidates := []struct {
		spent time.Duration
		find  func(time.Duration) candidate
	}{
		{t.of(isHardirq), t.hardirq},
		{t.of(t.isOtherSoftirq), t.otherSoftirq},
		{t.of(t.isNetworkWork), t.network},
		{t.of(isIRQsOff), t.irqsOff},
		{t.of(isIdle), t.idle},
		{t.of(t.isTask), t.tasks},
	}
	most := candidates[0]
	for _, candidate := range candidates[1:] {
		if candidate.spent > most.spent {
			most = candidate
		}
	}
	if most.spent == 0 {
		return candidate{verdict: Unexplained}
	}
	return most.find(most.spent)
}

func isHardirq(w activity) bool { return w.kind == PartHardirq }
func isIRQsOff(w activity) bool { return w.kind == PartIRQsOff }
func isIdle(w activity) bool    { return w.kind == PartIdle }

func (t *judgement) isOtherSoftirq(w activity) bool {
	return w.kind == PartSoftirq && w.vector != netRX
}

func (t *judgement) isTask(w activity) bool { return w.kind == PartTask && !t.isNetworkWork(w) }

// isNetworkWork reports whether time went to packets. A NAPI thread that another
// thread had to wait for is a task like any other.
func (t *judgement) isNetworkWork(w activity) bool {
	switch {
	case w.kind == PartSoftirq:
		return w.vector == netRX
	case w.kind != PartTask, t.window.Waiter == event.WaiterThread:
		return false
	}
	return isNetwork(event.Task{PID: w.pid, Comm: w.comm}, t.sched(w.pid).kthread)
}

// largest returns what took most of the time of those for which a condition holds.
func (t *judgement) largest(is func(activity) bool) (activity, time.Duration) {
	for _, w := range t.sorted() {
		if is(w) {
			return w, t.spent[w]
		}
	}
	return activity{}, 0
}

// late returns the samples whose tick came late.
func (t *judgement) late(samples []event.CPUSample) []event.CPUSample {
	return filter(samples, func(s *event.CPUSample) bool { return s.Late > 0 })
}

func filter(samples []event.CPUSample, keep func(*event.CPUSample) bool) []event.CPUSample {
	var kept []event.CPUSample
	for i := range samples {
		if keep(&samples[i]) {
			kept = append(kept, samples[i])
		}
	}
	return kept
}
