// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/cilium/ebpf"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// tracepoints returns what stalls are watched by on every kernel, in the order of
// attaching: what reports first last, so that nothing is seen half.
func tracepoints() []string {
	return []string{
		"net:netif_rx",
		"timer:timer_expire_entry", "timer:timer_expire_exit", "timer:hrtimer_expire_exit",
		"irq:irq_handler_entry", "irq:irq_handler_exit", "napi:napi_poll", "net:netif_receive_skb",
		"sched:sched_switch", "sched:sched_migrate_task", "sched:sched_wakeup", "irq:softirq_exit", "irq:softirq_entry",
		"irq:softirq_raise", "timer:hrtimer_expire_entry",
	}
}

// stallRung is one way to attach to all of the tracepoints, and what their programs are
// given.
type stallRung struct {
	name  string
	given bpf.StallGiven
	on    func(tracepoint string) way
}

// way is a probe on a tracepoint, and the name of its rung.
type way struct {
	hook event.Hook
	probe
}

// stallRungs returns the rungs from the best down. Needs kernel 5.5+ with BTF for tp_btf,
// 4.17+ for raw_tp, tracefs for tracepoint, which knows no NAPI threads.
func stallRungs() []stallRung {
	raw := func(to string) way {
		return way{event.Hook{Name: to, Rung: "raw_tp"}, probe{program(to), kind{program: ebpf.RawTracepoint}, attachRaw(to)}}
	}
	return []stallRung{
		{"tp_btf", bpf.StallGivenGIVEN_TYPES, func(to string) way {
			if to == "net:netif_rx" { // of which the program calculates with an address
				return raw(to)
			}
			return way{event.Hook{Name: to, Rung: "tp_btf"}, probe{program(to), kind{}, attachTracing}}
		}},
		{"raw_tp", bpf.StallGivenGIVEN_NUMBERS, raw},
		{tracepoint, bpf.StallGivenGIVEN_RECORD, func(to string) way {
			return way{event.Hook{Name: to, Rung: tracepoint}, probe{program(to), kind{program: ebpf.TracePoint}, attachRecord(to)}}
		}},
	}
}

// program returns the name of the program on a tracepoint, group:name.
func program(tracepoint string) string {
	_, name, _ := strings.Cut(tracepoint, ":")
	return name
}

// attach attaches all programs.
func (s *stalls) attach() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.stopped {
		return nil
	}
	for _, p := range s.probes {
		program := s.collection.Programs[p.program]
		l, err := p.attach(program)
		if err != nil {
			return fmt.Errorf("attach %s: %w", program, err)
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
