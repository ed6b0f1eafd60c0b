// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// hardirq blames the handler or timer with the most time in hard interrupts.
func (j *judgement) hardirq(time.Duration) candidate {
	w, blamed := j.largest(isHardirq)
	return candidate{
		verdict: stall.HardirqLong, blamed: blamed, named: w.handler != "" || w.function != nil,
		culprit:  &stall.Culprit{IRQ: w.irq, Handler: w.handler, Function: w.function},
		agreeing: lateSamples(j.samples), // no tick interrupts a handler
	}
}

// otherSoftirq blames the vector with the most time, and its function with the most time.
func (j *judgement) otherSoftirq(time.Duration) candidate {
	worst, most := int8(noVector), time.Duration(0)
	for _, w := range j.account.sorted() {
		if !j.isOtherSoftirq(w) {
			continue
		}
		if d := j.account.of(func(o activity) bool { return o.kind == stall.PartSoftirq && o.vector == w.vector }); d > most {
			worst, most = w.vector, d
		}
	}
	w, _ := j.largest(func(o activity) bool { return o.kind == stall.PartSoftirq && o.vector == worst })
	agreeing := filter(j.samples, func(s *event.CPUSample) bool {
		vector := vectorOf(&s.At)
		return vector == worst || vector == unknownVector
	})
	c := &stall.Culprit{Softirq: kernel.SoftirqName(worst), Function: w.function}
	if w.function == nil {
		c.Function = vectorFunction(softirqStack(agreeing))
	}
	return candidate{
		verdict: stall.OtherSoftirq, blamed: most, named: c.Softirq != "", culprit: c,
		agreeing: agreeing, stack: true, softirq: true,
	}
}

// irqsOff blames the task in which interrupts were enabled again. User space cannot disable
// them: if they were enabled there, or on the exit to it, the culprit is doubtful.
func (j *judgement) irqsOff(blamed time.Duration) candidate {
	at := j.evidence.backOn()
	agreeing := lateSamples(j.samples)
	c := j.taskCulprit(at.Task.PID, agreeing)
	if c.PID == 0 && c.TID == 0 {
		c.PID, c.TID, c.Comm, c.Cgroup = at.Task.TGID, at.Task.PID, at.Task.Comm, at.Task.Cgroup
	}
	return candidate{
		verdict: stall.IRQOff, blamed: blamed, capped: true, culprit: c, agreeing: agreeing, stack: true,
		doubtful: 10*j.account.spent[activity{kind: stall.PartStolen}] >= j.account.total || j.evidence.singleTimer || len(filter(agreeing, isUser)) > 0,
	}
}

// idle explains the wait by the idle exit of the CPU, if that took an ordinary time.
func (j *judgement) idle(blamed time.Duration) candidate {
	isUsual := j.idleExits.isUsual(blamed)
	if !isUsual && blamed > ordinaryExit {
		return candidate{verdict: stall.Unexplained, idleExit: blamed}
	}
	return candidate{
		verdict: stall.IdleExit, blamed: blamed, capped: true, doubtful: !isUsual, idleExit: blamed,
		agreeing: filter(j.samples, func(s *event.CPUSample) bool { return s.At.Task.PID == 0 }),
	}
}

// cheapPacket is the most that an ordinary packet takes to handle. A long chain of rules, a
// slow BPF program or emulation takes more.
const cheapPacket = 50 * time.Microsecond

// network distinguishes many packets (NETRX_BUDGET) from slow ones (NETRX_SLOW).
func (j *judgement) network(blamed time.Duration) candidate {
	agreeing := filter(j.samples, func(s *event.CPUSample) bool {
		vector := vectorOf(&s.At)
		return vector == kernel.NetRXSoftirq || vector == unknownVector ||
			vector == noVector && kernel.IsNetworkThread(s.At.Task.Comm, s.At.Kthread)
	})
	p := &j.evidence.window.Polls
	c := &stall.Culprit{Softirq: kernel.SoftirqName(kernel.NetRXSoftirq), Device: p.Device}
	if w, _ := j.largest(j.isNetworkWork); w.kind == stall.PartTask {
		c.PID, c.TID, c.Comm = w.tgid, w.pid, w.comm
	}
	f := candidate{blamed: blamed, culprit: c, agreeing: agreeing, stack: true, softirq: true}
	if p.Squeezed > 0 && 2*p.Squeezed >= p.Runs && p.Packets > 0 && j.perPacket() < cheapPacket {
		f.verdict, f.capped = stall.NetRXBudget, p.Full == 0
		return f
	}
	f.verdict, c.Function = stall.NetRXSlow, packetFunction(softirqStack(agreeing))
	return f
}

// perPacket returns the mean time to handle a packet, 0 if no packet was counted.
func (j *judgement) perPacket() time.Duration {
	if j.evidence.window.Polls.Packets == 0 {
		return 0
	}
	return time.Duration(uint64(j.account.of(j.isNetworkWork)) / j.evidence.window.Polls.Packets)
}
