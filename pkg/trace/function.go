// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// function is one of the kernel's that is traced where that is possible.
type function struct {
	name   string
	traced string // constant that tells the tracepoints' programs so; empty: they need not know
	rungs  []functionRung
}

// functionRung is one way to trace a function: all of its probes or none. The last has
// none: tracepoints near the function, which are attached in any case, stand in for it.
type functionRung struct {
	name   string
	option string // of the kernel's configuration that is missing where this rung is not supported; empty: several may be
	probes []probe
}

// stallFunctions returns the functions that stalls are watched by, each with its rungs
// from the best down. The kernel's compiler may have inlined icmp_echo, which is static.
// Needs kernel 5.5+ with BTF for fentry, 5.18+ for kprobe.multi.
func stallFunctions(echoes bool) []function {
	const netRxAction, icmpEcho = "net_rx_action", "icmp_echo"
	const fprobe = "CONFIG_FPROBE"
	many := kind{ebpf.Kprobe, ebpf.AttachTraceKprobeMulti}
	functions := []function{{netRxAction, "", []functionRung{
		{"fentry", "", []probe{
			{"net_rx_action_fexit", kind{}, attachTracing}, {"net_rx_action_fentry", kind{}, attachTracing},
		}},
		{"kprobe.multi", fprobe, []probe{
			{"net_rx_action_kretprobe", many, amongReturns(netRxAction)}, {"net_rx_action_kprobe", many, amongEntries(netRxAction)},
		}},
		{"kprobe", "", []probe{
			{"net_rx_action_kretprobe", kind{}, atReturn(netRxAction)}, {"net_rx_action_kprobe", kind{}, atEntry(netRxAction)},
		}},
		{name: tracepoint},
	}}}
	if echoes {
		functions = append(functions, function{icmpEcho, "icmp_echo_traced", []functionRung{
			{"fentry", "", []probe{{"icmp_echo_fentry", kind{}, attachTracing}}},
			{"kprobe.multi", fprobe, []probe{{"icmp_echo_kprobe", many, amongEntries(icmpEcho)}}},
			{"kprobe", "", []probe{{"icmp_echo_kprobe", kind{}, atEntry(icmpEcho)}}},
			{name: tracepoint},
		}})
	}
	return functions
}

func atEntry(function string) func(*ebpf.Program) (link.Link, error) {
	return func(p *ebpf.Program) (link.Link, error) { return link.Kprobe(function, p, nil) }
}

func atReturn(function string) func(*ebpf.Program) (link.Link, error) {
	return func(p *ebpf.Program) (link.Link, error) { return link.Kretprobe(function, p, nil) }
}

func amongEntries(function string) func(*ebpf.Program) (link.Link, error) {
	return func(p *ebpf.Program) (link.Link, error) {
		return link.KprobeMulti(p, link.KprobeMultiOptions{Symbols: []string{function}})
	}
}

func amongReturns(function string) func(*ebpf.Program) (link.Link, error) {
	return func(p *ebpf.Program) (link.Link, error) {
		return link.KretprobeMulti(p, link.KprobeMultiOptions{Symbols: []string{function}})
	}
}

// choose returns the best rung that the kernel takes.
func (f *function) choose(spec *ebpf.CollectionSpec, types *types) (functionRung, error) {
	var refused refusals
	for _, r := range f.rungs {
		err := tryProbes(spec, types, r.probes)
		if err == nil {
			return r, nil
		}
		refused.add(r.name, err)
	}
	return functionRung{}, refused.of("attach " + f.name)
}

// tell lets the tracepoints' programs know whether others trace the function.
func (f *function) tell(spec *ebpf.CollectionSpec, r functionRung) error {
	if f.traced == "" {
		return nil
	}
	return set(spec, map[string]any{f.traced: len(r.probes) > 0})
}

// tryProbes loads programs, apart from all others, and attaches them for a moment: a
// kernel may load what it refuses to attach.
func tryProbes(spec *ebpf.CollectionSpec, types *types, probes []probe) error {
	if len(probes) == 0 {
		return nil
	}
	spec = spec.Copy()
	keepPrograms(spec, probes)
	c, err := ebpf.NewCollectionWithOptions(spec, types.options())
	if err != nil {
		return err
	}
	defer c.Close()
	for _, p := range probes {
		l, err := p.attach(c.Programs[p.program])
		if err != nil {
			return err
		}
		defer l.Close()
	}
	return nil
}
