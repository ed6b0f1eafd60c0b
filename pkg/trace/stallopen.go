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
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// stalls holds the programs that watch for network work that waits.
type stalls struct {
	hooks      []event.Hook
	probes     []probe
	collection *ebpf.Collection
	lock       sync.Mutex // protects links and stopped: a pause may end during Stop
	links      []link.Link
	stopped    bool
	reader     *ringbuf.Reader
	memory     []byte
	period     time.Duration // between ticks
	raw        ringbuf.Record
	record     stallRecord
	pace       pace // used if drops are traced, too
}

// stallLadders lists the ways to attach the stall programs: to all tracepoints together, and to
// each function.
type stallLadders struct {
	tracepoints ladder
	functions   []ladder
	ring        uint32 // size of the ring buffer in bytes; 0: the size in the object
}

func newStallLadders(echoes bool) stallLadders {
	return stallLadders{tracepoints: tracepointLadder(), functions: functionLadders(echoes)}
}

// openStalls loads and attaches the programs by the best rungs. It attaches all or none, because
// the programs depend on each other.
func openStalls(config StallConfig, ladders stallLadders, l *loader) (s *stalls, err error) {
	if l.types.kernel == nil {
		return nil, ErrNoTypes
	}
	spec, err := l.prepareStalls(config)
	if err != nil {
		return nil, err
	}
	if ladders.ring > 0 {
		spec.Maps["stalls"].MaxEntries = ladders.ring
	}
	var hooks []event.Hook
	var functions rung
	for _, f := range ladders.functions {
		err := f.climb(func(r rung) error {
			if err := r.try(spec, l.types); err != nil {
				return err
			}
			hooks = append(hooks, f.hooks(r)...)
			functions = functions.with(r)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	err = ladders.tracepoints.climb(func(r rung) error {
		s = &stalls{period: tickPeriod(), hooks: append(ladders.tracepoints.hooks(r), hooks...)}
		err := s.open(spec, r.with(functions), l.types)
		if err != nil {
			err = errors.Join(err, s.close())
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// open loads the programs of a rung, and attaches them.
func (s *stalls) open(spec *ebpf.CollectionSpec, r rung, types *types) error {
	spec, err := r.keep(spec)
	if err != nil {
		return err
	}
	s.probes = r.probes
	if s.collection, err = ebpf.NewCollectionWithOptions(spec, types.options()); err != nil {
		return err
	}
	if s.memory, err = mapMemory(s.collection.Maps["cpus"]); err != nil {
		return err
	}
	if s.reader, err = ringbuf.NewReader(s.collection.Maps["stalls"]); err != nil {
		return fmt.Errorf("map ring buffer: %w", err)
	}
	return s.attach()
}

// prepareStalls sets the sizes and constants of the programs.
func (l *loader) prepareStalls(config StallConfig) (*ebpf.CollectionSpec, error) {
	spec, err := bpf.LoadStall()
	if err != nil {
		return nil, fmt.Errorf("read programs: %w", err)
	}
	spec.Maps["cpus"].MaxEntries = uint32(l.cpus)
	return spec, set(spec, map[string]any{
		"typed":                  l.types.own(),
		"threshold_ns":           uint64(config.Threshold),
		"watch_ns":               uint64(event.SamplerDelay(config.Threshold)),
		"echoes":                 config.Echoes,
		"tick_function":          tickFunction(l.functions()),
		"preempt_count_offset":   l.perCPU.preemptCount(),
		"softirq_pending_offset": l.perCPU.softirqPending(),
		"stack_bytes":            uint32(max(16<<10, os.Getpagesize())),
		"stack_padding":          stackPadding(l.functions()),
		"stolen_offset":          l.perCPU.stolen(),
	})
}

// stackPadding returns the bytes between a task's saved registers and the end of its
// stack: 16 on x86 with CONFIG_X86_FRED (TOP_OF_KERNEL_STACK_PADDING, 6.9+).
func stackPadding(names symbols) uint32 {
	if _, ok := names.Find("asm_fred_entrypoint_user"); ok {
		return 16
	}
	return 0
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
