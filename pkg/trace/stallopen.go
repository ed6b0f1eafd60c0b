// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// stalls are the programs that watch for network work that waits.
type stalls struct {
	hooks      []event.Hook
	probes     []probe
	collection *ebpf.Collection
	lock       sync.Mutex // of the next two: a pause may end while the tracer is stopped
	links      []link.Link
	stopped    bool
	reader     *ringbuf.Reader
	memory     []byte
	period     time.Duration // between ticks
	raw        ringbuf.Record
	record     event.StallRecord
	pace       pace // beside drops
}

// openStalls loads and attaches the programs. They are of no use one without the
// other: all attach or none.
func openStalls(config StallConfig, functions []function, cpus int, types *btf.Cache, kernel *btf.Spec, names symbols) (_ *stalls, err error) {
	spec, err := prepareStalls(config, cpus, kernel, names)
	if err != nil {
		return nil, err
	}
	s := &stalls{period: tickPeriod()}
	defer func() {
		if err != nil {
			_ = s.close()
		}
	}()
	s.hooks, s.probes = tracepoints()
	for _, f := range functions {
		rung, err := f.choose(spec, types)
		if err != nil {
			return nil, err
		}
		if err := f.tell(spec, rung); err != nil {
			return nil, err
		}
		s.hooks = append(s.hooks, event.Hook{Name: f.name, Rung: rung.name})
		s.probes = append(s.probes, rung.probes...)
	}
	keepPrograms(spec, s.probes)
	if s.collection, err = ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: types}); err != nil {
		return nil, attachError("load the stall programs", err)
	}
	if s.memory, err = mapMemory(s.collection.Maps["cpus"]); err != nil {
		return nil, err
	}
	if s.reader, err = ringbuf.NewReader(s.collection.Maps["stalls"]); err != nil {
		return nil, fmt.Errorf("map ring buffer: %w", err)
	}
	return s, s.attach()
}

// prepareStalls sets the sizes and constants of the programs.
func prepareStalls(config StallConfig, cpus int, kernel *btf.Spec, names symbols) (*ebpf.CollectionSpec, error) {
	spec, err := bpf.LoadStall()
	if err != nil {
		return nil, fmt.Errorf("read programs: %w", err)
	}
	spec.Maps["cpus"].MaxEntries = uint32(cpus)
	variables := findPerCPU(kernel)
	for name, value := range map[string]any{
		"threshold_ns":           uint64(config.Threshold),
		"watch_ns":               uint64(min(config.Threshold/2, 2*time.Millisecond)),
		"echoes":                 config.Echoes,
		"tick_function":          tickFunction(names),
		"preempt_count_offset":   variables.preemptCount(),
		"softirq_pending_offset": variables.softirqPending(),
		"stack_bytes":            uint32(max(16<<10, os.Getpagesize())),
		"stolen_offset":          variables.stolen(),
	} {
		if err := spec.Variables[name].Set(value); err != nil {
			return nil, fmt.Errorf("set %s: %w", name, err)
		}
	}
	return spec, nil
}

func (s *stalls) close() error {
	errs := []error{s.detach()}
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	if s.memory != nil {
		errs = append(errs, unix.Munmap(s.memory))
	}
	if s.collection != nil {
		s.collection.Close()
	}
	return errors.Join(errs...)
}
