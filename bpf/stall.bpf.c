//go:build ignore

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds out what keeps network work (NET_RX and NAPI threads) waiting on a CPU.
 * Nothing is sent of work that is done in time.
 */
#include "kernel.h"
#include "wire.h"
#include "softirq.h"
#include "thread.h"
#include "interrupt.h"
#include "late.h"
#include "function.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* Have bpf2go generate what no map names. */
const struct cpu_sample *unused_sample __attribute__((unused));
const struct late_packet *unused_packet __attribute__((unused));
const enum record_type *unused_type __attribute__((unused));
const enum edge_kind *unused_edge __attribute__((unused));
const enum waiter *unused_waiter __attribute__((unused));
const enum window_flag *unused_window_flag __attribute__((unused));
const enum sample_flag *unused_sample_flag __attribute__((unused));
const enum task_flag *unused_task_flag __attribute__((unused));

/* Not as tp_btf: there the address would be a pointer, and no number. */
SEC("raw_tp/netif_rx")
int netif_rx(void *ctx)
{
	stamp(ARGUMENT(ctx, 0, net_dev_template, skbaddr));
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int netif_receive_skb(void *ctx)
{
	struct sk_buff *skb = (void *)ARGUMENT(ctx, 0, net_dev_template, skbaddr);
	struct cpu *s = this_cpu();
	__u64 queued, now = 0;

	if (!s)
		return 0;
	queued = came(s, skb);
	/* Another packet had the address: all that came before idle_ns are handled. */
	if (queued && s->served_ns && queued + STALE_NS < s->idle_ns)
		queued = 0;
	/*
	 * No tick interrupts a softirq that interrupted an idle CPU: packets have to tell. The
	 * first one of a run waited until that began.
	 */
	if (queued && s->served_ns) {
		if (s->received++ || queued > s->served_ns) {
			now = bpf_ktime_get_ns();
			if (now - queued >= watch_ns)
				find_late(s, queued, now);
		} else {
			reach_back(s, queued);
		}
	}
	if (s->open && !now)
		now = bpf_ktime_get_ns();
	if (s->open && belongs(s, queued))
		receive(s, skb, queued, now);
	if (echoes) {
		if (icmp_echo_traced)
			s->queued_ns = queued;
		else
			echo(s, skb, queued);
	}
	return 0;
}
