// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// running is what a CPU does, by the edges seen so far.
type running struct {
	task      event.Task
	taskKnown bool
	vector    int8 // being served, noVector, or unknownVector
	rest      int8 // what is served when another vector is done
	inIRQ     bool
	irq       int32
	handler   string
	timers    []timer       // the innermost last
	hardSince time.Duration // begin of the hard interrupt, if one is being handled
}

// timer is a timer function that runs. A hard one is in a hard interrupt.
type timer struct {
	function *event.Frame
	hard     bool
}

// A CPU serves no softirq, or one whose vector is unknown.
const (
	noVector      = -1
	unknownVector = -2
)

// maxTimers bounds what lost exits can pile up. A hard timer on top of a soft one
// is as deep as it gets.
const maxTimers = 4

// activity is that which a segment of time goes to. It is comparable; fields that do not
// apply to its kind are zero.
type activity struct {
	kind      stall.PartKind
	pid, tgid uint32
	comm      string
	irq       int32
	handler   string
	vector    int8
	function  *event.Frame
}

// activity returns the innermost activity.
func (r *running) activity() activity {
	var top timer
	if len(r.timers) > 0 {
		top = r.timers[len(r.timers)-1]
	}
	switch {
	case r.inIRQ && top.hard:
		return activity{kind: stall.PartHardirq, irq: r.irq, handler: r.handler, function: top.function}
	case r.inIRQ:
		return activity{kind: stall.PartHardirq, irq: r.irq, handler: r.handler}
	case top.hard:
		return activity{kind: stall.PartHardirq, function: top.function}
	case r.vector != noVector:
		return activity{kind: stall.PartSoftirq, vector: r.vector, function: top.function}
	case !r.taskKnown:
		return activity{kind: stall.PartUnaccounted}
	case r.task.PID == 0:
		return activity{kind: stall.PartIdle}
	}
	return activity{kind: stall.PartTask, pid: r.task.PID, tgid: r.task.TGID, comm: r.task.Comm}
}

// apply follows an edge. What an edge rules out was left by an edge that is missing:
// a softirq begins and a task is switched only when hard interrupts are done.
func (r *running) apply(e *event.Edge, at time.Duration) {
	wasHard := r.isHard()
	switch e.Kind {
	case event.EdgeSoftirqEntry:
		r.vector, r.inIRQ, r.timers = int8(min(e.Vector, 127)), false, nil
	case event.EdgeSoftirqExit:
		r.vector, r.inIRQ, r.timers = noVector, false, nil
		if e.Vector != kernel.NetRXSoftirq {
			r.vector = r.rest
		}
	case event.EdgeIRQEntry:
		r.inIRQ, r.irq, r.handler = true, e.IRQ, e.Handler
	case event.EdgeIRQExit:
		r.leaveHard()
	case event.EdgeTimerEntry:
		if len(r.timers) < maxTimers {
			r.timers = append(r.timers, timer{e.Function, r.timerIsHard()})
		}
	case event.EdgeTimerExit:
		if len(r.timers) > 0 {
			r.timers = r.timers[:len(r.timers)-1]
		}
	case event.EdgeSwitch:
		r.task, r.taskKnown = e.Task, e.Task != event.Task{}
		r.vector, r.rest, r.inIRQ, r.timers = noVector, noVector, false, nil
	}
	if !wasHard {
		r.hardSince = at
	}
}

// timerIsHard tells the context of a timer that begins now. Soft timers run one by
// one in their own vectors, so all others are in a hard interrupt.
func (r *running) timerIsHard() bool {
	soft := r.vector == kernel.TimerSoftirq || r.vector == kernel.HRTimerSoftirq
	return !soft || r.inIRQ || len(r.timers) > 0
}

// isHard reports whether a hard interrupt is being handled.
func (r *running) isHard() bool {
	return r.inIRQ || len(r.timers) > 0 && r.timers[len(r.timers)-1].hard
}

func (r *running) leaveHard() {
	r.inIRQ = false
	for len(r.timers) > 0 && r.timers[len(r.timers)-1].hard {
		r.timers = r.timers[:len(r.timers)-1]
	}
}

// agrees reports whether a sample shows what the edges say. The sampler's own hard
// interrupt is in the edges and not in the sample. Any other that still seems to go on
// has ended unseen, as no tick interrupts it, unless the tick waited for it.
func (r *running) agrees(s *event.CPUSample) bool {
	if !r.taskKnown || r.task.PID != s.At.Task.PID || r.isStuck(s) {
		return false
	}
	switch vector := vectorOf(&s.At); vector {
	case unknownVector:
		return r.vector != noVector
	default:
		return r.vector == vector || r.vector == unknownVector && vector != noVector
	}
}

// servesNetRX reports whether network work was and is being done, maybe on top of
// another task: its runs in between are not in the edges.
func (r *running) servesNetRX(s *event.CPUSample) bool {
	return r.vector == kernel.NetRXSoftirq && vectorOf(&s.At) == kernel.NetRXSoftirq
}

func (r *running) isStuck(s *event.CPUSample) bool {
	return r.isHard() && s.Late == 0 && s.Time-r.hardSince > slack
}

// adopt takes a sample's word.
func (r *running) adopt(s *event.CPUSample) {
	if r.isStuck(s) {
		r.leaveHard()
	}
	r.task, r.taskKnown = s.At.Task, true
	vector := vectorOf(&s.At)
	if vector == r.vector || vector == unknownVector && r.vector != noVector {
		return
	}
	r.vector, r.timers = vector, nil
	if s.At.Timer != nil && vector != noVector {
		r.timers = append(r.timers, timer{s.At.Timer, false})
	}
}

// servesSoftirq reports whether a softirq was being served.
func servesSoftirq(at *event.Interrupted) bool {
	if at.CountKnown {
		return at.PreemptCount&kernel.SoftirqServing != 0
	}
	return at.Vector >= 0
}

// vectorOf returns the softirq being served, noVector, or unknownVector.
func vectorOf(at *event.Interrupted) int8 {
	switch {
	case !servesSoftirq(at):
		return noVector
	case at.Vector < 0:
		return unknownVector
	}
	return at.Vector
}
