// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/node"
)

const (
	hotWork  = 0.5
	hotShare = 0.8

	// hotRate is what half of a CPU's time is at least in runs of NET_RX a second: none
	// takes longer than 20 ms (netdev_budget_usecs). Busy CPUs have few, long ones.
	hotRate = 25.0

	// rxRate, packets per second, is what a device has to receive to be the reason for
	// a busy CPU.
	rxRate = 1000.0

	flowsName   = "net.core.rps_sock_flow_entries"
	flowEntries = 32768
)

// steering speaks when one CPU receives nearly everything (see hotCPU) though others
// could: it says for each device that receives rxRate packets a second what piles up
// there. If packets are lost meanwhile in rings or backlogs, that is a warning.
func steering(n *nodeInput) []found {
	cpu, work, part, ok := n.hotCPU()
	if !ok {
		return nil
	}
	ns := n.own()
	var all []found
	for _, link := range ns.Links {
		if !n.receives(link) {
			continue
		}
		f := Finding{
			Severity: Info, Device: link.Name, Netns: ns.Netns,
			Evidence: []Fact{{"cpu", uint64(cpu)}, {"softirq_share", work}, {"softirq_share_of_all_cpus", part}},
		}
		if !n.spread(&f, ns, link, cpu) {
			continue
		}
		if n.behind() {
			f.Severity = Warning
		}
		all = append(all, found{f, part})
	}
	return all
}

// spread finds the first thing that would take packets away from a CPU: RPS that points
// there alone, several interrupts that go there, queues the device could have, RPS.
func (n *nodeInput) spread(f *Finding, ns node.Namespace, link node.Link, cpu int) bool {
	active := n.activeIRQs(link, cpu)
	_, _, _, moreQueues := n.channelsFor(link)
	switch {
	case rpsOnlyTo(link, cpu):
		f.ID = "rps"
		f.Explain = say("RPS of %s steers every packet to CPU %d, which does most of the receiving of this node.", title(link), cpu)
		n.steerByRPS(f, ns, link)
	case link.Kind != "" || len(active) == 0:
		return false
	case len(active) > 1:
		f.ID = "irq-affinity"
		f.Explain = say("%d interrupts of %s come to CPU %d, which does most of the receiving of this node.", len(active), title(link), cpu)
		n.spreadIRQs(f, active)
	case moreQueues:
		f.ID = "rx-queues"
		f.Explain = say("%s receives on CPU %d nearly alone and could have more queues, each with an interrupt of its own.", title(link), cpu)
		n.moreChannels(f, ns, link)
	case !hasRPS(link):
		f.ID = "rps"
		f.Explain = say("%s has one receive queue, whose packets CPU %d handles to the end; RPS and RFS would share them out.", title(link), cpu)
		n.steerByRPS(f, ns, link)
	default:
		return false
	}
	return true
}

// activeIRQs are a device's interrupts that came to a CPU, most of them there.
func (n *nodeInput) activeIRQs(link node.Link, cpu int) []node.IRQ {
	var active []node.IRQ
	for _, irq := range link.IRQs {
		var sum uint64
		for c := range n.LoadAfter.Interrupts[irq.Number] {
			sum += n.interrupts(irq, c)
		}
		if here := n.interrupts(irq, cpu); here > 0 && float64(here) >= hotShare*float64(sum) {
			active = append(active, irq)
		}
	}
	return active
}

// spreadIRQs gives each interrupt a CPU of its own, as far as there are some.
func (n *nodeInput) spreadIRQs(f *Finding, irqs []node.IRQ) {
	var words []string
	for i, irq := range irqs {
		file := fmt.Sprintf("/proc/irq/%d/smp_affinity_list", irq.Number)
		cpu := n.State.CPUs[i%len(n.State.CPUs)]
		words = append(words, fmt.Sprintf("%d: %s", irq.Number, list(irq.CPUs)))
		f.Fix = append(f.Fix, write(number(cpu), file))
		f.Undo = append(f.Undo, write(list(irq.CPUs), file))
	}
	f.Evidence = append(f.Evidence, Fact{"irq_cpus", strings.Join(words, "; ")})
	f.keep("systemctl enable --now irqbalance (it spreads them anew after each start, when their numbers may differ; it may also undo what the commands do)")
	n.daemonSet(f)
	f.Cost = "more CPUs are interrupted; those with tasks that must not be should be left out"
}

// receives tells whether a device of the own namespace is busy.
func (n *nodeInput) receives(link node.Link) bool {
	before, after := n.LoadBefore.RxPackets[link.Name], n.LoadAfter.RxPackets[link.Name]
	return n.perSecond(after-min(before, after)) >= rxRate
}

func hasRPS(link node.Link) bool {
	return slices.ContainsFunc(link.RxQueues, func(q node.RxQueue) bool { return len(q.CPUs) > 0 })
}

func rpsOnlyTo(link node.Link, cpu int) bool {
	for _, queue := range link.RxQueues {
		if len(queue.CPUs) != 1 || queue.CPUs[0] != cpu {
			return false
		}
	}
	return len(link.RxQueues) > 0
}

// steerByRPS has a device's packets handled on all CPUs, those of a flow where its
// socket is read.
func (n *nodeInput) steerByRPS(f *Finding, ns node.Namespace, link node.Link) {
	if now, ok := n.State.Sysctls.Number(flowsName); ok && now < flowEntries {
		n.set(f, ns, setting{flowsName, number(now), number(flowEntries)})
	}
	var words []string
	for i, queue := range link.RxQueues {
		dir := fmt.Sprintf("/sys/class/net/%s/queues/rx-%d/", link.Name, i)
		flows := flowEntries / len(link.RxQueues)
		words = append(words, fmt.Sprintf("rx-%d: %s", i, node.Mask(queue.CPUs)))
		n.onDevice(f, ns, link.Name, write(node.Mask(n.State.CPUs), dir+"rps_cpus"), write(node.Mask(queue.CPUs), dir+"rps_cpus"))
		if queue.Flows < flows {
			n.onDevice(f, ns, link.Name, write(number(flows), dir+"rps_flow_cnt"), write(number(queue.Flows), dir+"rps_flow_cnt"))
		}
	}
	f.Evidence = append(f.Evidence, Fact{"rps_cpus", strings.Join(words, "; ")})
	f.Cost = "an interrupt between CPUs for each batch of packets, and their backlogs fill (net.core.netdev_max_backlog)"
}

// list prints CPUs as smp_affinity_list takes them.
func list(cpus []int) string {
	var words []string
	for _, cpu := range cpus {
		words = append(words, strconv.Itoa(cpu))
	}
	return strings.Join(words, ",")
}
