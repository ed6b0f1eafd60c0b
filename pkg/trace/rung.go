// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// ladder lists the ways to attach to a place in the kernel, the best first.
type ladder struct {
	place string // name of the hook, unless the probes name theirs
	rungs []rung
}

// rung is one way to attach: by all of its probes. A rung without probes leaves the place to the
// tracepoints near it, which are always attached.
type rung struct {
	name      string
	option    string         // CONFIG option that a kernel without the rung lacks; empty if it may be one of several
	constants map[string]any // constants of the programs on this rung
	probes    []probe
}

// probe is a program and the function that attaches it.
type probe struct {
	hook    event.Hook // empty: the ladder's place and the rung's name
	program string
	as      programType // type to load it as
	attach  func(*ebpf.Program) (link.Link, error)
}

// programType is the type that a program is loaded as. The zero value is the type in the object.
type programType struct {
	program ebpf.ProgramType
	attach  ebpf.AttachType
}

// climb calls take with the rungs, the best first, until it succeeds.
func (l ladder) climb(take func(rung) error) error {
	if len(l.rungs) == 0 {
		return fmt.Errorf("attach %s: no rung", l.place)
	}
	var refused []refusal
	for _, r := range l.rungs {
		err := take(r)
		if err == nil {
			return nil
		}
		// To EPERM the library adds a guess about limits, which is dropped here. An error of
		// the verifier may be EPERM, too, but says why.
		if errors.Is(err, os.ErrPermission) && !rejected(err) {
			err = os.ErrPermission
		}
		refused = append(refused, refusal{r.name, err})
	}
	return refusedAll("attach "+l.place, refused)
}

// refusal says why the kernel refused a rung.
type refusal struct {
	rung string
	err  error
}

// refusedAll returns an error that says what was tried, on one line if the kernel refused all
// rungs for the same reason.
func refusedAll(what string, all []refusal) error {
	var names []string
	var errs []error
	alike := true
	for _, r := range all {
		names = append(names, r.rung)
		errs = append(errs, fmt.Errorf("%s by %s: %w", what, r.rung, r.err))
		alike = alike && r.err.Error() == all[0].err.Error()
	}
	if alike && len(all) > 0 {
		return fmt.Errorf("%s by %s: %w", what, strings.Join(names, ", "), all[0].err)
	}
	return errors.Join(errs...)
}

// hooks returns the hooks of a rung's probes.
func (l ladder) hooks(r rung) (hooks []event.Hook) {
	for _, p := range r.probes {
		if p.hook.Name != "" {
			hooks = append(hooks, p.hook)
		}
	}
	if hooks == nil {
		return []event.Hook{{Name: l.place, Rung: r.name}}
	}
	return hooks
}

// keep returns a copy of a specification with only the programs of a rung, and with their types
// and constants on that rung.
func (r rung) keep(spec *ebpf.CollectionSpec) (*ebpf.CollectionSpec, error) {
	spec = spec.Copy()
	for name, program := range spec.Programs {
		i := slices.IndexFunc(r.probes, func(p probe) bool { return p.program == name })
		switch {
		case i < 0:
			delete(spec.Programs, name)
		case r.probes[i].as != programType{}:
			program.Type, program.AttachType, program.AttachTo = r.probes[i].as.program, r.probes[i].as.attach, ""
		}
	}
	return spec, set(spec, r.constants)
}

// with returns a rung with the probes and constants of both.
func (r rung) with(other rung) rung {
	r.probes = slices.Concat(r.probes, other.probes)
	constants := map[string]any{}
	maps.Copy(constants, r.constants)
	maps.Copy(constants, other.constants)
	r.constants = constants
	return r
}

// try loads only the programs of a rung, attaches them, and detaches them again: a kernel may
// load a program that it refuses to attach.
func (r rung) try(spec *ebpf.CollectionSpec, types *types) error {
	if len(r.probes) == 0 {
		return nil
	}
	spec, err := r.keep(spec)
	if err != nil {
		return err
	}
	c, err := ebpf.NewCollectionWithOptions(spec, types.options())
	if err != nil {
		return err
	}
	defer c.Close()
	for _, p := range r.probes {
		l, err := p.attach(c.Programs[p.program])
		if err != nil {
			return err
		}
		defer l.Close()
	}
	return nil
}

// Ways to attach.

func attachTracing(p *ebpf.Program) (link.Link, error) {
	return link.AttachTracing(link.TracingOptions{Program: p})
}

// attachRaw attaches to a tracepoint, group:name, with untyped arguments.
func attachRaw(to string) func(*ebpf.Program) (link.Link, error) {
	_, name, _ := strings.Cut(to, ":")
	return func(p *ebpf.Program) (link.Link, error) {
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: name, Program: p})
	}
}

// attachRecord attaches to a tracepoint, group:name, by a perf event. The program gets the
// tracepoint's record.
func attachRecord(to string) func(*ebpf.Program) (link.Link, error) {
	group, name, _ := strings.Cut(to, ":")
	return func(p *ebpf.Program) (link.Link, error) { return link.Tracepoint(group, name, p, nil) }
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
