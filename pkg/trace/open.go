// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// Tracer is an event.Source of the running kernel. Next and Close are for one
// goroutine; Stop is for any.
type Tracer struct {
	config            Config
	packetsUnreadable bool // drops carry only reasons, locations and stacks
	meta              event.Meta
	hook              *hook
	maps              bpf.DropMaps
	cells             *cells
	stats             *stats
	memory            [][]byte
	reader            *ringbuf.Reader
	resolver          *resolver
	stalls            *stalls // nil unless Config.Stalls is set and the kernel supports them
	waits             event.StallLoss
	counters          *counterWatch // nil if the node's counters cannot be read
	first             []event.Event // Next yields them before others
	stopping          atomic.Bool

	state    state
	duties   []duty
	lastTick time.Time
	raw      ringbuf.Record
	record   dropRecord
	drop     event.Drop
	tick     event.Tick
	end      event.End
	tally    tally
	totals   event.Totals
	loss     event.Loss
}

// Open attaches to the running kernel. Drops are counted from then on. The error says what was
// tried; it may match os.ErrPermission and ebpf.ErrNotSupported (errors.Is).
func Open(config Config) (*Tracer, error) { return open(config, kfreeSkbLadder()) }

func open(config Config, ladder ladder) (_ *Tracer, err error) {
	cpus, err := findCPUs(node.Root{FS: os.DirFS("/")})
	if err != nil {
		return nil, err
	}
	if config, err = config.complete(cpus.room); err != nil {
		return nil, err
	}
	readable := readSymbols()
	types, err := readTypes(config.BTF)
	unreadable := ""
	switch {
	case errors.Is(err, ErrNoTypes):
		unreadable, types = ErrNoTypes.Error(), noTypes()
	case err != nil:
		return nil, err
	}
	names, err := types.reasons()
	if err != nil {
		return nil, err
	}

	t := &Tracer{config: config, meta: describe(config, cpus.count)}
	defer func() {
		if err != nil {
			_ = t.Close()
		}
	}()
	functions := sync.OnceValue(func() symbols { return readable(&t.meta) })
	l := newLoader(types, cpus.room, functions)
	l.split = len(names.All()) == 0 // on kernels without reasons a location may need correction
	if err = t.load(l, ladder, unreadable); err != nil {
		return nil, err
	}
	t.resolver = newResolver(t.meta.StartMono, newStacks(functions(), mostFrames()), types.withLater(names))
	if config.Stalls != nil {
		t.watchStalls(l)
	}
	t.lastTick = time.Now()
	if err := t.watchCounters(); err != nil {
		return nil, err
	}
	t.duties = t.newDuties(time.Now())
	readPrograms(functions()) // including those loaded here, before capabilities are dropped
	debug.FreeOSMemory()      // the types and the text of the symbols are large and no longer needed
	return t, nil
}

// watchStalls attaches the stall programs. If that fails, it adds a note, and drops are recorded
// without stalls.
func (t *Tracer) watchStalls(l *loader) {
	var err error
	t.stalls, err = openStalls(*t.config.Stalls, newStallLadders(t.config.Stalls.Echoes), l)
	if err != nil {
		t.meta.Notes = append(t.meta.Notes, "stalls are not recorded: "+explain(err, l.memlock).Error())
		return
	}
	t.meta.Hooks = append(t.meta.Hooks, t.stalls.hooks...)
	t.meta.StallThreshold = t.config.Stalls.Threshold
	t.resolver.nameUsers(&t.meta)
}

// Close detaches and frees everything. Events that Next returned stay valid, except for memory
// of the Tracer itself.
func (t *Tracer) Close() error {
	var errs []error
	if t.hook != nil {
		errs = append(errs, t.hook.Close(), t.hook.program.Close())
	}
	if t.stalls != nil {
		errs = append(errs, t.stalls.close())
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

// Stop detaches. After it, Next yields the remaining events, an *event.End and io.EOF.
func (t *Tracer) Stop() error {
	if t.stopping.Swap(true) {
		return nil
	}
	var errs []error
	if t.counters != nil { // as close as possible to the last counted drop
		errs = append(errs, t.counters.finish(t.meta.Start))
	}
	errs = append(errs, t.hook.Close())
	if t.stalls != nil {
		errs = append(errs, t.stalls.stop())
	}
	waitForPrograms()
	return errors.Join(append(errs, t.reader.Flush())...)
}

// waitForPrograms waits until no detached program runs on another CPU.
func waitForPrograms() {
	if !gracePeriod() {
		time.Sleep(100 * time.Millisecond)
	}
}

// Commands of membarrier(2), include/uapi/linux/membarrier.h.
const (
	membarrierQuery  = 0
	membarrierGlobal = 1
)

// gracePeriod waits until every running program has ended and its stores are visible. That takes
// an RCU grace period, which membarrier(2) waits for. It returns false if the kernel refuses, as
// with nohz_full CPUs.
func gracePeriod() bool {
	_, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierGlobal, 0, 0)
	return errno == 0
}

// gracePeriods reports whether gracePeriod can wait.
func gracePeriods() bool {
	commands, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierQuery, 0, 0)
	return errno == 0 && commands&membarrierGlobal != 0
}
