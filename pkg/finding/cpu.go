// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/node"
)

const (
	// leastTime is how much time of a CPU has to have been counted before a share of
	// it means anything: it is counted in ticks of 10 ms.
	leastTime = time.Second

	ksoftirqdNote, ksoftirqdMuch      = 0.2, 0.5
	stealNote, stealMuch, stealSevere = 0.05, 0.1, 0.3
)

// worked is what a CPU did in the interval, and false if that is too little to judge.
func (n *nodeInput) worked(cpu int) (node.CPUTime, bool) {
	before, ok1 := n.LoadBefore.CPUs[cpu]
	after, ok2 := n.LoadAfter.CPUs[cpu]
	t := node.CPUTime{Total: after.Total - before.Total, Softirq: after.Softirq - before.Softirq, Steal: after.Steal - before.Steal}
	return t, ok1 && ok2 && t.Total >= leastTime
}

func share(part, whole time.Duration) float64 { return float64(part) / float64(whole) }

// ksoftirqds speaks when the thread that softirqs are left to takes a fifth of a CPU;
// from half of it on that is a warning.
func ksoftirqds(n *nodeInput) []found {
	var all []found
	for _, cpu := range n.State.CPUs {
		t, ok := n.worked(cpu)
		before, ok1 := n.LoadBefore.Ksoftirqd[cpu]
		after, ok2 := n.LoadAfter.Ksoftirqd[cpu]
		if !ok || !ok1 || !ok2 || before.PID != after.PID {
			continue
		}
		part := share(after.Time-before.Time, t.Total)
		if part < ksoftirqdNote {
			continue
		}
		f := Finding{
			ID: "ksoftirqd", Severity: Info,
			Evidence: []Fact{{"cpu", uint64(cpu)}, {"pid", uint64(after.PID)}, {"ksoftirqd_share", part}, {"softirq_share", share(t.Softirq, t.Total)}},
			Explain:  say("ksoftirqd/%d takes %.0f %% of its CPU: softirqs come faster than they are done, and packets wait their turn with ordinary tasks.", cpu, 100*part),
		}
		if part >= ksoftirqdMuch {
			f.Severity = Warning
		}
		n.threaded(&f, cpu)
		all = append(all, found{f, part})
	}
	return all
}

// threaded adds how the devices that interrupt a CPU are polled by threads, which the
// scheduler may move.
func (n *nodeInput) threaded(f *Finding, cpu int) {
	ns := n.own()
	for _, link := range hardware(ns) {
		if link.Threaded != 0 || !n.receives(link) || n.interruptsOn(link, cpu) == 0 {
			continue
		}
		file := "/sys/class/net/" + link.Name + "/threaded"
		n.onDevice(f, ns, link.Name, write("1", file), write("0", file))
		f.Cost = "a switch of tasks for each poll of the device; its threads need CPU time of their own"
	}
}

// steals speaks when the hypervisor ran something else for a twentieth of a CPU's time;
// a tenth is a warning, three tenths are critical.
func steals(n *nodeInput) []found {
	var all []found
	for _, cpu := range n.State.CPUs {
		t, ok := n.worked(cpu)
		part := share(t.Steal, t.Total)
		if !ok || part < stealNote {
			continue
		}
		f := Finding{
			ID: "steal", Severity: Info,
			Evidence: []Fact{{"cpu", uint64(cpu)}, {"steal_share", part}, {"steal_ms", uint64(t.Steal.Milliseconds())}},
			Explain:  say("the hypervisor kept CPU %d from running for %.0f %% of the time, in which it receives nothing.", cpu, 100*part),
			Fix:      []string{"# on the hypervisor, not here: fewer virtual CPUs per core, pinned ones, or another machine size"},
			Cost:     "a dearer or a smaller machine",
		}
		switch {
		case part >= stealSevere:
			f.Severity = Critical
		case part >= stealMuch:
			f.Severity = Warning
		}
		all = append(all, found{f, part})
	}
	return all
}

// interruptsOn is how often a device interrupted a CPU in the interval.
func (n *nodeInput) interruptsOn(link node.Link, cpu int) uint64 {
	var sum uint64
	for _, irq := range link.IRQs {
		sum += n.interrupts(irq, cpu)
	}
	return sum
}

func (n *nodeInput) interrupts(irq node.IRQ, cpu int) uint64 {
	before, after := n.LoadBefore.Interrupts[irq.Number][cpu], n.LoadAfter.Interrupts[irq.Number][cpu]
	return after - min(before, after)
}

// hotCPU is the one that does most of the receiving and little else, if there is one:
// hotWork of its time in softirqs, hotShare of the time that all CPUs spend in them, and
// hotRate times a second NET_RX. (The number of NET_RX softirqs tells no share: a CPU
// that steers packets to another by RPS has one for each as well.)
func (n *nodeInput) hotCPU() (cpu int, work, part float64, ok bool) {
	var sum, most node.CPUTime
	for _, c := range n.State.CPUs {
		t, known := n.worked(c)
		if !known {
			return 0, 0, 0, false
		}
		sum.Softirq += t.Softirq
		if t.Softirq > most.Softirq {
			cpu, most = c, t
		}
	}
	before, after := n.LoadBefore.NetRX[cpu], n.LoadAfter.NetRX[cpu]
	if len(n.State.CPUs) < 2 || most.Softirq == 0 || n.perSecond(after-min(before, after)) < hotRate {
		return 0, 0, 0, false
	}
	work, part = share(most.Softirq, most.Total), share(most.Softirq, sum.Softirq)
	return cpu, work, part, work >= hotWork && part >= hotShare
}
