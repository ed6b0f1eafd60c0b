// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"slices"
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// hook is a program attached to a place in the kernel.
type hook struct {
	name, rung string
	program    *ebpf.Program
	link       link.Link
	once       sync.Once
}

// Close detaches. The program stays, so that its counters can be read.
func (h *hook) Close() (err error) {
	h.once.Do(func() { err = h.link.Close() })
	return err
}

// probe is a program and what attaches it.
type probe struct {
	program string
	as      kind // to load it as
	attach  func(*ebpf.Program) (link.Link, error)
}

// kind is what a program is loaded as. The zero value is what it was compiled as.
type kind struct {
	program ebpf.ProgramType
	attach  ebpf.AttachType
}

// rung is one way to attach to a hook; the first that the kernel takes is used.
type rung struct {
	name string
	probe
}

const (
	kfreeSkb   = "skb:kfree_skb"
	tracepoint = "tracepoint" // the last rung of each ladder
)

// kfreeSkbLadder returns the rungs from the best down.
// Needs kernel 5.5+ with BTF for tp_btf, 4.17+ for raw_tp, tracefs for tracepoint.
func kfreeSkbLadder() []rung {
	return []rung{
		{"tp_btf", probe{"kfree_skb_btf", kind{}, attachTracing}},
		{"raw_tp", probe{"kfree_skb_raw", kind{}, attachRaw(kfreeSkb)}},
		{tracepoint, probe{"kfree_skb_record", kind{}, attachRecord(kfreeSkb)}},
	}
}

// unreadRung is the name of both rungs of unreadLadder.
const unreadRung = "raw_tp (packets unread)"

// unreadLadder returns the rungs that do without the kernel's types and memory. A kernel
// that states no reasons refuses the first.
func unreadLadder() []rung {
	return []rung{
		{unreadRung, probe{"kfree_skb_unread", kind{}, attachRaw(kfreeSkb)}},
		{unreadRung, probe{"kfree_skb_unread_no_reason", kind{}, attachRaw(kfreeSkb)}},
	}
}

// attach loads and attaches the best program that the kernel takes.
func attach(spec *ebpf.CollectionSpec, options ebpf.CollectionOptions, ladder []rung) (*hook, *ebpf.Collection, error) {
	var refused refusals
	for _, r := range ladder {
		h, c, err := climb(spec.Copy(), options, r)
		if err == nil {
			return h, c, nil
		}
		refused.add(r.name, err)
	}
	return nil, nil, refused.of("attach " + kfreeSkb)
}

func climb(spec *ebpf.CollectionSpec, options ebpf.CollectionOptions, r rung) (*hook, *ebpf.Collection, error) {
	keepPrograms(spec, []probe{r.probe})
	c, err := ebpf.NewCollectionWithOptions(spec, options)
	if err != nil {
		return nil, nil, err
	}
	attached, err := r.attach(c.Programs[r.program])
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	return &hook{name: kfreeSkb, rung: r.name, program: c.DetachProgram(r.program), link: attached}, c, nil
}

func attachTracing(p *ebpf.Program) (link.Link, error) {
	return link.AttachTracing(link.TracingOptions{Program: p})
}

// attachRaw attaches to a tracepoint, group:name, whose arguments have no types.
func attachRaw(to string) func(*ebpf.Program) (link.Link, error) {
	_, name, _ := strings.Cut(to, ":")
	return func(p *ebpf.Program) (link.Link, error) {
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: name, Program: p})
	}
}

// attachRecord attaches to a tracepoint, group:name, as perf does, to be given its records.
func attachRecord(to string) func(*ebpf.Program) (link.Link, error) {
	group, name, _ := strings.Cut(to, ":")
	return func(p *ebpf.Program) (link.Link, error) { return link.Tracepoint(group, name, p, nil) }
}

// keepPrograms leaves the programs of probes alone in a specification.
func keepPrograms(spec *ebpf.CollectionSpec, probes []probe) {
	for name, program := range spec.Programs {
		i := slices.IndexFunc(probes, func(p probe) bool { return p.program == name })
		switch {
		case i < 0:
			delete(spec.Programs, name)
		case probes[i].as != kind{}:
			program.Type, program.AttachType, program.AttachTo = probes[i].as.program, probes[i].as.attach, ""
		}
	}
}
