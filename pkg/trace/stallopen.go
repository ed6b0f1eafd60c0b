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
	objects bpf.StallObjects
	lock    sync.Mutex // of the next two: a pause may end while the tracer is stopped
	links   []link.Link
	stopped bool
	reader  *ringbuf.Reader
	memory  []byte
	period  time.Duration // between ticks
	raw     ringbuf.Record
	record  event.StallRecord
	pace    pace // beside drops
}

// openStalls loads and attaches the programs. They are of no use one without the
// other: all attach or none.
func openStalls(config StallConfig, cpus int, types *btf.Cache, kernel *btf.Spec, names symbols) (_ *stalls, err error) {
	spec, err := bpf.LoadStall()
	if err != nil {
		return nil, fmt.Errorf("read programs: %w", err)
	}
	spec.Maps["cpus"].MaxEntries = uint32(cpus)
	for name, value := range map[string]any{
		"threshold_ns":           uint64(config.Threshold),
		"watch_ns":               uint64(min(config.Threshold/2, 2*time.Millisecond)),
		"echoes":                 config.Echoes,
		"tick_function":          tickFunction(names),
		"preempt_count_offset":   preemptCountOffset(kernel),
		"softirq_pending_offset": softirqPendingOffset(kernel),
		"stolen_offset":          stolenOffset(kernel),
	} {
		if err := spec.Variables[name].Set(value); err != nil {
			return nil, fmt.Errorf("set %s: %w", name, err)
		}
	}
	s := &stalls{period: tickPeriod()}
	defer func() {
		if err != nil {
			_ = s.close()
		}
	}()
	if err := spec.LoadAndAssign(&s.objects, &ebpf.CollectionOptions{Cache: types}); err != nil {
		return nil, attachError("load the stall programs", err)
	}
	if s.memory, err = mapMemory(s.objects.Cpus); err != nil {
		return nil, err
	}
	if s.reader, err = ringbuf.NewReader(s.objects.Stalls); err != nil {
		return nil, fmt.Errorf("map ring buffer: %w", err)
	}
	return s, s.attach()
}

// attachError leaves out what the library adds to a missing permission, a guess at
// limits.
func attachError(what string, err error) error {
	if errors.Is(err, os.ErrPermission) {
		err = os.ErrPermission
	}
	return fmt.Errorf("%s: %w", what, err)
}

// attach attaches all programs: what reports first last, so that nothing is seen
// half.
func (s *stalls) attach() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.stopped {
		return nil
	}
	p := &s.objects.StallPrograms
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "netif_rx", Program: p.NetifRx})
	if err != nil {
		return attachError("attach netif_rx by raw_tp", err)
	}
	s.links = append(s.links, l)
	for _, typed := range []*ebpf.Program{
		p.TimerExpireEntry, p.TimerExpireExit, p.HrtimerExpireExit, p.IrqHandlerEntry, p.IrqHandlerExit,
		p.NapiPoll, p.NetifReceiveSkb, p.SchedSwitch, p.SchedWakeup, p.SoftirqExit, p.SoftirqEntry,
		p.SoftirqRaise, p.HrtimerExpireEntry,
	} {
		l, err := link.AttachTracing(link.TracingOptions{Program: typed})
		if err != nil {
			return attachError(fmt.Sprintf("attach %s by tp_btf", typed), err)
		}
		s.links = append(s.links, l)
	}
	return nil
}

func (s *stalls) detach() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	errs := make([]error, len(s.links))
	var all sync.WaitGroup
	for i, l := range s.links { // at once: each waits for an RCU grace period
		all.Go(func() { errs[i] = l.Close() })
	}
	all.Wait()
	s.links = nil
	return errors.Join(errs...)
}

// stop detaches for good.
func (s *stalls) stop() error {
	s.lock.Lock()
	s.stopped = true
	s.lock.Unlock()
	return s.detach()
}

func (s *stalls) close() error {
	errs := []error{s.detach()}
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	if s.memory != nil {
		errs = append(errs, unix.Munmap(s.memory))
	}
	return errors.Join(append(errs, s.objects.Close())...)
}
