// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// StallConfig says what counts as a stall. The zero value of a field means its
// default.
type StallConfig struct {
	Threshold time.Duration // work that waits this long is told about; default DefaultThreshold
	Echoes    bool          // tell of every ICMP echo request
}

// DefaultThreshold is how long work may wait before it is told about.
const DefaultThreshold = 5 * time.Millisecond

// stalls are the programs that watch for network work that waits.
type stalls struct {
	objects bpf.StallObjects
	links   []link.Link
	reader  *ringbuf.Reader
	memory  []byte
	period  time.Duration // between ticks
	raw     ringbuf.Record
	record  event.StallRecord
}

// openStalls loads and attaches the programs. They are of no use one without the
// other: all attach or none.
func openStalls(config StallConfig, cpus int, types *btf.Cache, kernel *btf.Spec, names symbols) (_ *stalls, err error) {
	if config.Threshold == 0 {
		config.Threshold = DefaultThreshold
	}
	if config.Threshold < time.Millisecond {
		return nil, fmt.Errorf("threshold of %v is below a millisecond", config.Threshold)
	}
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
	p := &s.objects.StallPrograms
	for name, raw := range map[string]*ebpf.Program{"netif_rx": p.NetifRx, "net_dev_start_xmit": p.NetDevStartXmit} {
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: name, Program: raw})
		if err != nil {
			return attachError("attach "+name+" by raw_tp", err)
		}
		s.links = append(s.links, l)
	}
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
	var errs []error
	for _, l := range s.links {
		errs = append(errs, l.Close())
	}
	s.links = nil
	return errors.Join(errs...)
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
