// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// running is what a CPU does, as the edges so far show it.
type running struct {
	task      event.Task
	taskKnown bool
	vector    int8 // being served, noVector, or unknownVector
	rest      int8 // served again when another vector exits
	inIRQ     bool
	irq       int32
	handler   string
	timers    []timer       // the innermost last
	hardSince time.Duration // entry of the hard interrupt, if one is handled
}

// timer is a running timer function. A hard one runs in a hard interrupt.
type timer struct {
	function *event.Frame
	hard     bool
}

// Values of a vector if no softirq is served, or an unknown one.
const (
	noVector      = -1
	unknownVector = -2
)

// maxTimers bounds the nesting that lost exits fake. Timers really nest two deep: a hard
// one interrupts a soft one.
const maxTimers = 4

// activity is what a segment goes to. Fields that do not apply to its kind are zero, so
// that equal activities compare equal.
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

// apply follows an edge at a time. An activity that the edge rules out has ended and its
// exit is missing: softirqs and task switches happen only after hard interrupts.
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

// timerIsHard reports whether a timer that begins now runs in a hard interrupt. Soft
// timers run one after the other in their own vectors, so every other timer is hard.
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

// agrees reports whether a sample shows what the edges show. The hard interrupt of the
// sampler is in the edges and not in the sample.
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

// servesNetRX reports whether NET_RX was running and is in a sample, whichever task it
// interrupts: the edges lack the runs in between.
func (r *running) servesNetRX(s *event.CPUSample) bool {
	return r.vector == kernel.NetRXSoftirq && vectorOf(&s.At) == kernel.NetRXSoftirq
}

// isStuck reports whether a hard interrupt seems to go on at a sample and cannot: no tick
// interrupts it. Its exit is missing, unless the tick is late because it waited.
func (r *running) isStuck(s *event.CPUSample) bool {
	return r.isHard() && s.Late == 0 && s.Time-r.hardSince > slack
}

// adopt replaces what the edges show with what a sample shows.
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

// servesSoftirq reports whether a softirq is served.
func servesSoftirq(at *event.Interrupted) bool {
	if at.CountKnown {
		return at.PreemptCount&kernel.SoftirqServing != 0
	}
	return at.Vector >= 0
}

// vectorOf returns the vector that is served, noVector, or unknownVector.
func vectorOf(at *event.Interrupted) int8 {
	switch {
	case !servesSoftirq(at):
		return noVector
	case at.Vector < 0:
		return unknownVector
	}
	return at.Vector
}
