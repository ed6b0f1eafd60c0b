// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

const (
	kfreeSkb   = "skb:kfree_skb"
	tracepoint = "tracepoint" // the last rung of each ladder
)

// kfreeSkbLadder lists the ways to count drops.
// Needs kernel 5.5+ with BTF for tp_btf, 4.17+ for raw_tp, tracefs for tracepoint.
func kfreeSkbLadder() ladder {
	return ladder{kfreeSkb, []rung{
		{name: "tp_btf", probes: []probe{{program: "kfree_skb_btf", attach: attachTracing}}},
		{name: "raw_tp", probes: []probe{{program: "kfree_skb_raw", attach: attachRaw(kfreeSkb)}}},
		{name: tracepoint, probes: []probe{{program: "kfree_skb_record", attach: attachRecord(kfreeSkb)}}},
	}}
}

// unreadRung is the name of both rungs of unreadLadder.
const unreadRung = "raw_tp (packets unread)"

// unreadLadder lists the ways that need neither the kernel's types nor its memory. A kernel
// without drop reasons refuses the first.
func unreadLadder() ladder {
	return ladder{kfreeSkb, []rung{
		{name: unreadRung, probes: []probe{{program: "kfree_skb_unread", attach: attachRaw(kfreeSkb)}}},
		{name: unreadRung, probes: []probe{{program: "kfree_skb_unread_no_reason", attach: attachRaw(kfreeSkb)}}},
	}}
}

// tracepoints returns the tracepoints that the stall programs need on every kernel, in the order
// of attaching. Those that start a report come last, so that no report is incomplete.
func tracepoints() []string {
	return []string{
		"net:netif_rx",
		"timer:timer_expire_entry", "timer:timer_expire_exit", "timer:hrtimer_expire_exit",
		"irq:irq_handler_entry", "irq:irq_handler_exit", "napi:napi_poll", "net:netif_receive_skb",
		"sched:sched_switch", "sched:sched_migrate_task", "sched:sched_wakeup", "irq:softirq_exit", "irq:softirq_entry",
		"irq:softirq_raise", "timer:hrtimer_expire_entry",
	}
}

// tracepointLadder lists the ways to attach to all of the tracepoints together. Needs kernel
// 5.5+ with BTF for tp_btf, 4.17+ for raw_tp, tracefs for tracepoint, which does not detect
// NAPI threads.
func tracepointLadder() ladder {
	typed := func(to string) probe {
		return probe{hook: event.Hook{Name: to, Rung: "tp_btf"}, program: programOn(to), attach: attachTracing}
	}
	raw := func(to string) probe {
		return probe{event.Hook{Name: to, Rung: "raw_tp"}, programOn(to), programType{program: ebpf.RawTracepoint}, attachRaw(to)}
	}
	record := func(to string) probe {
		return probe{event.Hook{Name: to, Rung: tracepoint}, programOn(to), programType{program: ebpf.TracePoint}, attachRecord(to)}
	}
	l := ladder{"the tracepoints of stalls", []rung{
		{name: "tp_btf", constants: map[string]any{"given": bpf.StallGivenGIVEN_TYPES}},
		{name: "raw_tp", constants: map[string]any{"given": bpf.StallGivenGIVEN_NUMBERS}},
		{name: tracepoint, constants: map[string]any{"given": bpf.StallGivenGIVEN_RECORD}},
	}}
	for i, on := range []func(string) probe{typed, raw, record} {
		for _, to := range tracepoints() {
			p := on(to)
			if i == 0 && to == "net:netif_rx" { // the program does arithmetic on a pointer
				p = raw(to)
			}
			l.rungs[i].probes = append(l.rungs[i].probes, p)
		}
	}
	return l
}

// programOn returns the name of the program on a tracepoint, group:name.
func programOn(tracepoint string) string {
	_, name, _ := strings.Cut(tracepoint, ":")
	return name
}

// functionLadders lists the ways to trace the functions that the stall programs use. The last
// rung leaves a function to the tracepoints near it. The compiler may have inlined icmp_echo,
// which is static; a constant tells the tracepoint programs whether it is traced.
// Needs kernel 5.5+ with BTF for fentry, 5.18+ for kprobe.multi.
func functionLadders(echoes bool) []ladder {
	const netRxAction, icmpEcho = "net_rx_action", "icmp_echo"
	const fprobe = "CONFIG_FPROBE"
	many := programType{ebpf.Kprobe, ebpf.AttachTraceKprobeMulti}
	ladders := []ladder{{netRxAction, []rung{
		{name: "fentry", probes: []probe{
			{program: "net_rx_action_fexit", attach: attachTracing},
			{program: "net_rx_action_fentry", attach: attachTracing},
		}},
		{name: "kprobe.multi", option: fprobe, probes: []probe{
			{program: "net_rx_action_kretprobe", as: many, attach: amongReturns(netRxAction)},
			{program: "net_rx_action_kprobe", as: many, attach: amongEntries(netRxAction)},
		}},
		{name: "kprobe", probes: []probe{
			{program: "net_rx_action_kretprobe", attach: atReturn(netRxAction)},
			{program: "net_rx_action_kprobe", attach: atEntry(netRxAction)},
		}},
		{name: tracepoint},
	}}}
	if echoes {
		traced := map[string]any{"icmp_echo_traced": true}
		ladders = append(ladders, ladder{icmpEcho, []rung{
			{name: "fentry", constants: traced, probes: []probe{{program: "icmp_echo_fentry", attach: attachTracing}}},
			{name: "kprobe.multi", option: fprobe, constants: traced, probes: []probe{{program: "icmp_echo_kprobe", as: many, attach: amongEntries(icmpEcho)}}},
			{name: "kprobe", constants: traced, probes: []probe{{program: "icmp_echo_kprobe", attach: atEntry(icmpEcho)}}},
			{name: tracepoint},
		}})
	}
	return ladders
}

// hook is a program attached to a place in the kernel.
type hook struct {
	event.Hook
	program *ebpf.Program
	link    link.Link
	once    sync.Once
}

// Close detaches the program. The program stays loaded, so that its counters can be read.
func (h *hook) Close() (err error) {
	h.once.Do(func() { err = h.link.Close() })
	return err
}

// attach loads and attaches the program of the best rung that the kernel accepts.
func attach(spec *ebpf.CollectionSpec, options ebpf.CollectionOptions, l ladder) (h *hook, c *ebpf.Collection, err error) {
	err = l.climb(func(r rung) (err error) {
		h, c, err = attachBy(spec, options, r)
		return err
	})
	return h, c, err
}

func attachBy(spec *ebpf.CollectionSpec, options ebpf.CollectionOptions, r rung) (*hook, *ebpf.Collection, error) {
	spec, err := r.keep(spec)
	if err != nil {
		return nil, nil, err
	}
	c, err := ebpf.NewCollectionWithOptions(spec, options)
	if err != nil {
		return nil, nil, err
	}
	p := r.probes[0]
	attached, err := p.attach(c.Programs[p.program])
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	return &hook{Hook: event.Hook{Name: kfreeSkb, Rung: r.name}, program: c.DetachProgram(p.program), link: attached}, c, nil
}
