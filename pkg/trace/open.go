// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// Tracer is an event.Source of the running kernel. Next and Close are for one
// goroutine; Stop is for any.
type Tracer struct {
	config   Config
	meta     event.Meta
	hook     *hook
	maps     bpf.DropMaps
	share    *ebpf.Variable
	cells    *cells
	stats    *stats
	memory   [][]byte
	reader   *ringbuf.Reader
	resolver *resolver
	stalls   *stalls // nil unless Config.Stalls asks for them and the kernel can
	waits    event.StallLoss
	counters *counters     // nil if the node's cannot be read
	first    []event.Event // that Next is to yield before others
	stopping atomic.Bool

	state    state
	nextTick time.Time
	nextPoll time.Time
	nextLook time.Time // for stalls
	lastTick time.Time
	raw      ringbuf.Record
	record   event.Record
	drop     event.Drop
	tick     event.Tick
	end      event.End
	tally    tally
	totals   event.Totals
	loss     event.Loss
}

// Open attaches to the running kernel; from then on drops are counted. The error
// says what was tried; errors.Is tells os.ErrPermission and ebpf.ErrNotSupported.
func Open(config Config) (*Tracer, error) { return open(config, kfreeSkbLadder()) }

func open(config Config, ladder []rung) (_ *Tracer, err error) {
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return nil, fmt.Errorf("count CPUs: %w", err)
	}
	if config, err = config.complete(cpus); err != nil {
		return nil, err
	}
	readable := readSymbols()
	types, err := readTypes(config.BTF)
	if err != nil {
		return nil, err
	}
	memlock := unlimit(types.kernel)
	names, err := types.reasons()
	if err != nil {
		return nil, err
	}

	t := &Tracer{config: config}
	defer func() {
		if err != nil {
			_ = t.Close()
		}
	}()
	spec, err := prepare(config, cpus, types.kernel)
	if err != nil {
		return nil, err
	}
	t.meta = describe(config, cpus)
	functions := sync.OnceValue(func() symbols { return readable(&t.meta) })
	if len(names.All()) == 0 { // a kernel so old that a location may need to be corrected
		if err = setSplit(spec, functions()); err != nil {
			return nil, err
		}
	}
	var collection *ebpf.Collection
	if t.hook, collection, err = attach(spec, types.options(), ladder); err != nil {
		return nil, explain(err, memlock)
	}
	defer collection.Close()
	if err = t.adopt(collection); err != nil {
		return nil, err
	}
	t.meta.Hooks = []event.Hook{{Name: t.hook.name, Rung: t.hook.rung}}
	t.resolver = newResolver(t.meta.StartMono, newStacks(functions(), mostFrames()), names)
	if config.Stalls != nil {
		t.watchStalls(cpus, types, functions(), memlock)
	}
	t.lastTick = time.Now()
	if err := t.watchCounters(); err != nil {
		return nil, err
	}
	t.nextTick = time.Now().Add(tickInterval)
	debug.FreeOSMemory() // the types and the symbols' text are large, and needed no more
	return t, nil
}

// watchStalls attaches what watches for stalls. Drops are recorded without it too.
func (t *Tracer) watchStalls(cpus int, types *types, functions symbols, memlock bool) {
	err := types.own()
	if err == nil {
		t.stalls, err = openStalls(*t.config.Stalls, stallFunctions(t.config.Stalls.Echoes), cpus, types.cache, types.kernel, functions)
	}
	if err != nil {
		t.meta.Notes = append(t.meta.Notes, "stalls are not recorded: "+explain(err, memlock).Error())
		return
	}
	t.meta.Hooks = append(t.meta.Hooks, t.stalls.hooks...)
	t.resolver.users = symbolize.NewUsers(userSymbols)
}

// prepare sets the sizes and constants of the programs.
func prepare(config Config, cpus int, kernel *btf.Spec) (*ebpf.CollectionSpec, error) {
	spec, err := bpf.LoadDrop()
	if err != nil {
		return nil, fmt.Errorf("read programs: %w", err)
	}
	spec.Maps["samples"].MaxEntries = uint32(config.RingBytes)
	spec.Maps["cells"].MaxEntries = uint32(cpus * config.CellsPerCPU)
	spec.Maps["stats"].MaxEntries = uint32(cpus)
	for name, value := range map[string]any{
		"cells_per_cpu":        uint32(config.CellsPerCPU),
		"exact":                config.Exact,
		"nests":                programsNest(kernel),
		"packet_bytes":         uint32(max(config.Snaplen, headerBytes)),
		"preempt_count_offset": findPerCPU(kernel).preemptCount(),
		"wakeup_bytes":         uint64(config.RingBytes / 4),
		"budget":               uint32(config.UnwindBudget),
		"share":                uint32(config.UnwindBudget),
	} {
		if err := spec.Variables[name].Set(value); err != nil {
			return nil, fmt.Errorf("set %s: %w", name, err)
		}
	}
	return spec, nil
}

// adopt takes over the maps that were loaded, and maps their memory.
func (t *Tracer) adopt(c *ebpf.Collection) error {
	if err := c.Assign(&t.maps); err != nil {
		return err
	}
	t.share = c.Variables["share"]
	memory, err := t.mmap(t.maps.Cells)
	if err != nil {
		return err
	}
	t.cells = newCells(memory, t.config.CellsPerCPU)
	if memory, err = t.mmap(t.maps.Stats); err != nil {
		return err
	}
	t.stats = newStats(memory)
	if t.reader, err = ringbuf.NewReader(t.maps.Samples); err != nil {
		return fmt.Errorf("map ring buffer: %w", err)
	}
	return nil
}

func (t *Tracer) mmap(m *ebpf.Map) ([]byte, error) {
	memory, err := mapMemory(m)
	if err == nil {
		t.memory = append(t.memory, memory)
	}
	return memory, err
}

// mapMemory maps the values of an array, which the kernel keeps in whole words.
func mapMemory(m *ebpf.Map) ([]byte, error) {
	size := int((m.ValueSize() + 7) / 8 * 8 * m.MaxEntries())
	memory, err := unix.Mmap(m.FD(), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", m, err)
	}
	return memory, nil
}

// Close detaches and frees everything. Events read before stay valid but for
// memory of the Tracer itself.
func (t *Tracer) Close() error {
	var errs []error
	if t.hook != nil {
		errs = append(errs, t.hook.Close(), t.hook.program.Close())
	}
	if t.stalls != nil {
		errs = append(errs, t.stalls.close())
	}
	if t.counters != nil {
		t.counters.changes.Close()
	}
	if t.reader != nil {
		errs = append(errs, t.reader.Close())
	}
	for _, memory := range t.memory {
		errs = append(errs, unix.Munmap(memory))
	}
	t.memory = nil
	if t.maps.Cells != nil {
		errs = append(errs, t.maps.Close())
	}
	return errors.Join(errs...)
}

// Meta implements event.Source.
func (t *Tracer) Meta() *event.Meta { return &t.meta }

// Stop detaches; Next then yields what is left, an *event.End and io.EOF.
func (t *Tracer) Stop() error {
	if t.stopping.Swap(true) {
		return nil
	}
	var errs []error
	if t.counters != nil { // as near as can be to when the last drop is counted
		errs = append(errs, t.counters.finish(t.meta.Start))
	}
	errs = append(errs, t.hook.Close())
	if t.stalls != nil {
		errs = append(errs, t.stalls.stop())
	}
	waitForPrograms()
	return errors.Join(append(errs, t.reader.Flush())...)
}

// waitForPrograms returns when no program that was detached still runs on another
// CPU. That takes an RCU grace period, which is what membarrier(2) waits for, but
// not on kernels with nohz_full CPUs.
func waitForPrograms() {
	const global = 1 // MEMBARRIER_CMD_GLOBAL, include/uapi/linux/membarrier.h
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, global, 0, 0); errno != 0 {
		time.Sleep(100 * time.Millisecond)
	}
}
