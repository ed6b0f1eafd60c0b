// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
)

// Rungs returns the names of the rungs to skb:kfree_skb, from the best down.
func Rungs() (names []string) {
	for _, r := range kfreeSkbLadder().rungs {
		names = append(names, r.name)
	}
	return names
}

// OpenBy attaches by one rung alone.
func OpenBy(config Config, name string) (*Tracer, error) {
	for _, r := range kfreeSkbLadder().rungs {
		if r.name == name {
			return open(config, ladder{kfreeSkb, []rung{r}})
		}
	}
	return nil, fmt.Errorf("no rung %q", name)
}

// OpenRejected attaches by a rung that the verifier rejects: no argument has a type there.
func OpenRejected(config Config) (*Tracer, error) {
	untyped := probe{program: "kfree_skb_btf", as: programType{program: ebpf.RawTracepoint}, attach: attachRaw(kfreeSkb)}
	return open(config, ladder{kfreeSkb, []rung{{name: "raw_tp", probes: []probe{untyped}}}})
}

// OpenUnread attaches as where packets cannot be read.
func OpenUnread(config Config) (*Tracer, error) { return open(config, unreadLadder()) }

// Cycle attaches by each rung in turn and detaches, without reading the kernel's types and
// symbols again.
func Cycle(times int) error {
	config, err := Config{}.complete(1)
	if err != nil {
		return err
	}
	types, err := readTypes("")
	if err != nil {
		return err
	}
	spec, err := newLoader(types, ebpf.MustPossibleCPU(), func() symbols { return nameless{} }).prepare(config)
	if err != nil {
		return err
	}
	rungs := kfreeSkbLadder().rungs
	for i := range times {
		t := &Tracer{config: config}
		var collection *ebpf.Collection
		if t.hook, collection, err = attach(spec, types.options(), ladder{kfreeSkb, rungs[i%len(rungs):][:1]}); err != nil {
			return err
		}
		err := t.adopt(collection)
		collection.Close()
		if err := errors.Join(err, t.Close()); err != nil {
			return err
		}
	}
	return nil
}

// StallRungs returns the names of the rungs to the tracepoints, from the best down.
func StallRungs() (names []string) {
	for _, r := range tracepointLadder().rungs {
		names = append(names, r.name)
	}
	return names
}

// roomyLadders have a ring that holds what comes in the seconds until a test begins to read:
// in a guest, reading would be what keeps the CPU.
func roomyLadders(echoes bool) stallLadders {
	ladders := newStallLadders(echoes)
	ladders.ring = 16 << 20
	return ladders
}

// OpenStallsOn watches by one rung alone of the tracepoints, with types from a file.
func OpenStallsOn(config StallConfig, name, btf string) (*Stalls, error) {
	ladders := roomyLadders(config.Echoes)
	all := &ladders.tracepoints.rungs
	*all = slices.DeleteFunc(*all, func(r rung) bool { return r.name != name })
	return openStallSource(config, btf, ladders)
}

// OpenStallsBy watches by one rung alone of each function, without the programs that are
// named, and returns the others that are on the functions.
func OpenStallsBy(config StallConfig, name string, without ...string) (*Stalls, map[string]*ebpf.Program, error) {
	ladders := roomyLadders(config.Echoes)
	for i := range ladders.functions {
		f := &ladders.functions[i]
		f.rungs = slices.DeleteFunc(f.rungs, func(r rung) bool { return r.name != name })
		for j := range f.rungs {
			f.rungs[j].probes = slices.DeleteFunc(f.rungs[j].probes, func(p probe) bool { return slices.Contains(without, p.program) })
		}
	}
	s, err := openStallSource(config, "", ladders)
	if err != nil {
		return nil, nil, err
	}
	programs := map[string]*ebpf.Program{}
	for _, f := range ladders.functions {
		for _, r := range f.rungs {
			for _, p := range r.probes {
				programs[p.program] = s.stalls.collection.Programs[p.program]
			}
		}
	}
	return s, programs, nil
}

// FreeSoon has cells that have rested for one reading be freed.
func (t *Tracer) FreeSoon() { t.cells.rest = 1 }

// Named returns how many cells are known by name.
func (t *Tracer) Named() int { return len(t.resolver.cells) }
