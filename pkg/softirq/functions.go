// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// dispatchers stand between the softirq code and the function that it runs;
// kernel/softirq.c, kernel/time/timer.c, kernel/time/hrtimer.c, kernel/rcu/tree.c.
var dispatchers = []string{
	"tasklet_action", "tasklet_hi_action", "tasklet_action_common", "workqueue_softirq_action",
	"bh_worker", "process_one_work", "run_timer_softirq", "run_timer_base", "__run_timer_base",
	"__run_timers", "expire_timers", "call_timer_fn", "hrtimer_run_softirq",
	"__hrtimer_run_queues", "rcu_core_si", "rcu_core", "rcu_do_batch", "net_tx_action",
	"run_rebalance_domains", "sched_balance_softirq", "blk_done_softirq", "irq_poll_softirq",
}

// vectorFunction returns what a softirq ran: the outermost frame within it that does
// not only call others.
func vectorFunction(s *event.Stack) *event.Frame {
	if s == nil {
		return nil
	}
	runner := slices.IndexFunc(s.Frames, func(f *event.Frame) bool { return isRunner(symbol(f)) })
	for i := runner - 1; i >= 0; i-- {
		if !slices.Contains(dispatchers, symbol(s.Frames[i])) {
			return s.Frames[i]
		}
	}
	return nil
}

// packetWork is where packets are known to take long: nftables, iptables, bridges,
// qdisc classifiers.
var packetWork = []string{"nft_do_chain", "ipt_do_table", "ip6t_do_table", "arpt_do_table", "ebt_do_table", "tcf_classify"}

// unknownBPF is what frames of BPF programs are called that the kernel did not name.
const unknownBPF = "[bpf]"

// packetFunction returns where packets took their time: a BPF program, a chain of
// rules, else the innermost function.
func packetFunction(s *event.Stack) *event.Frame {
	if s == nil || len(s.Frames) == 0 {
		return nil
	}
	for _, f := range s.Frames {
		name := symbol(f)
		if strings.HasPrefix(name, "bpf_prog_") || name == unknownBPF || slices.Contains(packetWork, name) {
			return f
		}
	}
	return s.Frames[0]
}
