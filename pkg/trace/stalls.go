// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// Stalls is an event.Source of network work that waits on the running kernel. Next
// and Close are for one goroutine; Stop is for any.
type Stalls struct {
	meta     event.Meta
	stalls   *stalls
	resolver *resolver
	loss     event.StallLoss
	stopping atomic.Bool
	ended    bool
}

// OpenStalls attaches to the running kernel. btf is a file as in Config.BTF; if it is empty, the
// kernel provides its types. The error says what was tried; it may match os.ErrPermission,
// ErrNoTypes and ebpf.ErrNotSupported (errors.Is).
func OpenStalls(config StallConfig, btf string) (*Stalls, error) {
	return openStallSource(config, btf, newStallLadders(config.Echoes))
}

func openStallSource(config StallConfig, btf string, ladders stallLadders) (_ *Stalls, err error) {
	if config, err = config.complete(); err != nil {
		return nil, err
	}
	cpus, err := findCPUs(node.Root{FS: os.DirFS("/")})
	if err != nil {
		return nil, err
	}
	readable := readSymbols()
	types, err := readTypes(btf)
	if err != nil {
		return nil, err
	}
	s := &Stalls{meta: describe(Config{}, cpus.count)}
	names := readable(&s.meta)
	l := newLoader(types, cpus.room, func() symbols { return names })
	if s.stalls, err = openStalls(config, ladders, l); err != nil {
		return nil, explain(err, l.memlock)
	}
	s.meta.Hooks, s.meta.StallThreshold = s.stalls.hooks, config.Threshold
	s.resolver = newResolver(s.meta.StartMono, newStacks(names, mostFrames()), nil)
	s.resolver.nameUsers(&s.meta)
	readPrograms(names)  // including those loaded here, before capabilities are dropped
	debug.FreeOSMemory() // the types and the text of the symbols are large and no longer needed
	return s, nil
}

// Meta implements event.Source.
func (s *Stalls) Meta() *event.Meta { return &s.meta }

// Next implements event.Source. It waits until the ring buffer has a record.
func (s *Stalls) Next() (event.Event, error) {
	if s.ended {
		return nil, io.EOF
	}
	for {
		e, err := s.stalls.next(s.resolver, &s.loss)
		switch {
		case e != nil:
			return e, nil
		case errors.Is(err, ringbuf.ErrFlushed):
			s.ended = true
			s.stalls.count(&s.loss)
			return &event.End{Time: clock(unix.CLOCK_MONOTONIC) - s.meta.StartMono, Stalls: &s.loss}, nil
		case err != nil:
			return nil, fmt.Errorf("read ring buffer: %w", err)
		}
	}
}

// Histograms returns, for each CPU, histograms of how long NET_RX waited and ran so far.
func (s *Stalls) Histograms() []event.SoftirqTimes { return s.stalls.histograms() }

// Stop detaches. After it, Next yields the remaining events, an *event.End and io.EOF.
func (s *Stalls) Stop() error {
	if s.stopping.Swap(true) {
		return nil
	}
	err := s.stalls.stop()
	waitForPrograms()
	return errors.Join(err, s.stalls.reader.Flush())
}

// Close detaches and frees everything.
func (s *Stalls) Close() error { return s.stalls.close() }

// next returns the next event. It counts a record that it cannot decode, and returns nil and no
// error.
func (s *stalls) next(r *resolver, loss *event.StallLoss) (event.Event, error) {
	if err := s.reader.ReadInto(&s.raw); err != nil {
		return nil, err
	}
	loss.Read++
	if err := s.record.decode(s.raw.RawSample); err != nil {
		loss.Malformed++
		return nil, nil
	}
	return r.stall(&s.record, s.period), nil
}

func (s *stalls) cpus() []bpf.StallCpu {
	size := int(unsafe.Sizeof(bpf.StallCpu{}))
	return unsafe.Slice((*bpf.StallCpu)(unsafe.Pointer(&s.memory[0])), len(s.memory)/size)
}

// count sums the submitted and lost records of all CPUs.
func (s *stalls) count(loss *event.StallLoss) {
	loss.Submitted, loss.RingFull, loss.StackFailed = 0, 0, 0
	for i := range s.cpus() {
		c := &s.cpus()[i]
		loss.Submitted += atomic.LoadUint64(&c.Submitted)
		loss.RingFull += atomic.LoadUint64(&c.RingFull)
		loss.StackFailed += atomic.LoadUint64(&c.StackFailed)
	}
}

func (s *stalls) histograms() []event.SoftirqTimes {
	var all []event.SoftirqTimes
	for i := range s.cpus() {
		c := &s.cpus()[i]
		times := event.SoftirqTimes{CPU: i, BudgetEnded: atomic.LoadUint64(&c.BudgetEnded)}
		for b := range c.Waits {
			times.Waits[b] = atomic.LoadUint64(&c.Waits[b])
			times.Runs[b] = atomic.LoadUint64(&c.Runs[b])
		}
		all = append(all, times)
	}
	return all
}

// userSymbols is the memory for symbols of user space, in bytes.
const userSymbols = 16 << 20

// tickFunction returns the address of the timer function of the scheduler's tick, 0 if it is
// unknown.
func tickFunction(names symbols) uint64 {
	for _, name := range kernel.TickFunctions() {
		if address, ok := names.Find(name); ok {
			return address
		}
	}
	return 0
}

// tickPeriod returns the time between ticks: the resolution of CLOCK_MONOTONIC_COARSE. It
// returns 0 if that is unknown.
func tickPeriod() time.Duration {
	var coarse unix.Timespec
	if unix.ClockGetres(unix.CLOCK_MONOTONIC_COARSE, &coarse) != nil {
		return 0
	}
	return time.Duration(coarse.Nano())
}
