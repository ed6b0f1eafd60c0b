// SPDX-License-Identifier: Apache-2.0

package kernel

import "strings"

// IsSoftirqRunner reports whether a function calls the actions of vectors;
// kernel/softirq.c: handle_softirqs, up to 6.8 __do_softirq.
func IsSoftirqRunner(name string) bool {
	switch name {
	case "handle_softirqs", "__do_softirq", "__softirqentry_text_start":
		return true
	}
	return false
}

// IsSoftirqDispatcher reports whether a function stands between the runner of softirqs
// and the timer, tasklet or callback that a vector is for; kernel/softirq.c,
// kernel/time/timer.c, kernel/time/hrtimer.c, kernel/rcu/tree.c, kernel/workqueue.c.
func IsSoftirqDispatcher(name string) bool {
	switch name {
	case "tasklet_action", "tasklet_hi_action", "tasklet_action_common", "workqueue_softirq_action",
		"bh_worker", "process_one_work", "run_timer_softirq", "run_timer_base", "__run_timer_base",
		"__run_timers", "expire_timers", "call_timer_fn", "hrtimer_run_softirq",
		"__hrtimer_run_queues", "rcu_core_si", "rcu_core", "rcu_do_batch", "net_tx_action",
		"run_rebalance_domains", "sched_balance_softirq", "blk_done_softirq", "irq_poll_softirq":
		return true
	}
	return false
}

// IsPoll reports whether a symbol is a function that only runs softirqs or polls devices;
// kernel/softirq.c, net/core/dev.c.
func IsPoll(symbol string) bool {
	switch symbol {
	case "__napi_poll", "__napi_poll.constprop.0", "napi_poll", "net_rx_action",
		"handle_softirqs", "__do_softirq", "do_softirq":
		return true
	}
	return strings.HasPrefix(symbol, "napi_threaded_poll") || strings.HasPrefix(symbol, "handle_softirqs.")
}

// IsPacketWork reports whether a function walks rules for a packet, which can take long:
// nftables, iptables, bridges, classifiers of qdiscs, or a BPF program.
func IsPacketWork(name string) bool {
	switch name {
	case "nft_do_chain", "ipt_do_table", "ip6t_do_table", "arpt_do_table", "ebt_do_table", "tcf_classify":
		return true
	}
	return strings.HasPrefix(name, "bpf_prog_")
}
