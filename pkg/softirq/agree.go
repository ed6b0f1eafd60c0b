// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

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
