// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// tracepoints returns what stalls are watched by on every kernel, and their programs in
// the order of attaching: what reports first last, so that nothing is seen half.
func tracepoints() (hooks []event.Hook, probes []probe) {
	hooks = []event.Hook{{Name: "net:netif_rx", Rung: "raw_tp"}}
	probes = []probe{{"netif_rx", func(p *ebpf.Program) (link.Link, error) {
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: "netif_rx", Program: p})
	}}}
	for _, name := range []string{
		"timer:timer_expire_entry", "timer:timer_expire_exit", "timer:hrtimer_expire_exit",
		"irq:irq_handler_entry", "irq:irq_handler_exit", "napi:napi_poll", "net:netif_receive_skb",
		"sched:sched_switch", "sched:sched_wakeup", "irq:softirq_exit", "irq:softirq_entry",
		"irq:softirq_raise", "timer:hrtimer_expire_entry",
	} {
		_, program, _ := strings.Cut(name, ":")
		hooks = append(hooks, event.Hook{Name: name, Rung: "tp_btf"})
		probes = append(probes, probe{program, attachTracing})
	}
	return hooks, probes
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
			return attachError(fmt.Sprintf("attach %s", program), err)
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
