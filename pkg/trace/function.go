// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
)

// function is one of the kernel's that is traced where that is possible.
type function struct {
	name   string
	traced string // constant that tells the tracepoints' programs so; empty: they need not know
	rungs  []functionRung
}

// functionRung is one way to trace a function: all of its probes or none.
type functionRung struct {
	name   string
	probes []probe
}

// standIn is the last rung: tracepoints near the function, which are attached in any
// case, stand in for it.
const standIn = "tracepoint"

// stallFunctions returns the functions that stalls are watched by, each with its rungs
// from the best down. The kernel's compiler may have inlined icmp_echo, which is static.
// Needs kernel 5.5+ with BTF and direct calls of ftrace for fentry, CONFIG_KPROBES for
// kprobe.
func stallFunctions(echoes bool) []function {
	const netRxAction, icmpEcho = "net_rx_action", "icmp_echo"
	functions := []function{{netRxAction, "", []functionRung{
		{"fentry", []probe{{"net_rx_action_fexit", attachTracing}, {"net_rx_action_fentry", attachTracing}}},
		{"kprobe", []probe{{"net_rx_action_kretprobe", atReturn(netRxAction)}, {"net_rx_action_kprobe", atEntry(netRxAction)}}},
		{standIn, nil},
	}}}
	if echoes {
		functions = append(functions, function{icmpEcho, "icmp_echo_traced", []functionRung{
			{"fentry", []probe{{"icmp_echo_fentry", attachTracing}}},
			{"kprobe", []probe{{"icmp_echo_kprobe", atEntry(icmpEcho)}}},
			{standIn, nil},
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

// choose returns the best rung that the kernel takes.
func (f *function) choose(spec *ebpf.CollectionSpec, types *btf.Cache) (functionRung, error) {
	var errs []error
	for _, r := range f.rungs {
		err := tryProbes(spec, types, r.probes)
		if err == nil {
			return r, nil
		}
		errs = append(errs, attachError(fmt.Sprintf("attach %s by %s", f.name, r.name), err))
	}
	return functionRung{}, errors.Join(errs...)
}

// tell lets the tracepoints' programs know whether others trace the function.
func (f *function) tell(spec *ebpf.CollectionSpec, r functionRung) error {
	if f.traced == "" {
		return nil
	}
	if err := spec.Variables[f.traced].Set(len(r.probes) > 0); err != nil {
		return fmt.Errorf("set %s: %w", f.traced, err)
	}
	return nil
}

// tryProbes loads programs, apart from all others, and attaches them for a moment: a
// kernel may load what it refuses to attach.
func tryProbes(spec *ebpf.CollectionSpec, types *btf.Cache, probes []probe) error {
	if len(probes) == 0 {
		return nil
	}
	spec = spec.Copy()
	keepPrograms(spec, probes)
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: types})
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
