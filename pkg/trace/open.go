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
	config   Config
	unread   bool // drops tell no more than reasons, locations and stacks
	meta     event.Meta
	hook     *hook
	maps     bpf.DropMaps
	cells    *cells
	stats    *stats
	memory   [][]byte
	reader   *ringbuf.Reader
	resolver *resolver
	stalls   *stalls // nil unless Config.Stalls asks for them and the kernel can
	waits    event.StallLoss
	counters *counterWatch // nil if the node's cannot be read
	first    []event.Event // that Next is to yield before others
	stopping atomic.Bool

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

// Open attaches to the running kernel; from then on drops are counted. The error
// says what was tried; errors.Is tells os.ErrPermission and ebpf.ErrNotSupported.
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
	unread := ""
	switch {
	case errors.Is(err, ErrNoTypes):
		unread, types = ErrNoTypes.Error(), noTypes()
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
	l.split = len(names.All()) == 0 // a kernel so old that a location may need to be corrected
	if err = t.load(l, ladder, unread); err != nil {
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
	readPrograms(functions()) // with those loaded here, while that is allowed
	debug.FreeOSMemory()      // the types and the symbols' text are large, and needed no more
	return t, nil
}

// watchStalls attaches what watches for stalls. Drops are recorded without it too.
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
// CPU.
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

// gracePeriod waits until every program that runs now has ended, and what it has stored
// can be seen. That takes an RCU grace period, which is what membarrier(2) waits for, but
// not on kernels with nohz_full CPUs: it is false there.
func gracePeriod() bool {
	_, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierGlobal, 0, 0)
	return errno == 0
}

// gracePeriods reports whether gracePeriod can wait.
func gracePeriods() bool {
	commands, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierQuery, 0, 0)
	return errno == 0 && commands&membarrierGlobal != 0
}
