/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Functions of the kernel itself, where it lets programs trace them. The programs of
 * one rung are loaded, fentry or kprobe; the tracepoints stand in for them all.
 */
#ifndef DROPWATCH_FUNCTION_H
#define DROPWATCH_FUNCTION_H

#include "late.h"
#include "softirq.h"

#define ICMP_ECHO 8 /* include/uapi/linux/icmp.h */

/*
 * The softirq's entry and exit are seen in any case and frame the function, which has the
 * nearer times. A call that a probe missed, as kprobes do beside another program on the
 * CPU, is measured by the frame, and no raise is lost.
 */
static __always_inline int run_begins(void)
{
	struct cpu *s = this_cpu();

	if (s && s->served_ns)
		s->served_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int run_ends(void)
{
	struct cpu *s = this_cpu();

	if (s)
		count_run(s, bpf_ktime_get_ns());
	return 0;
}

/* Without a parameter: it lost the one it had by 6.12. */
SEC("fentry/net_rx_action")
int net_rx_action_fentry(void *ctx)
{
	return run_begins();
}

SEC("fexit/net_rx_action")
int net_rx_action_fexit(void *ctx)
{
	return run_ends();
}

SEC("kprobe/net_rx_action")
int net_rx_action_kprobe(void *ctx)
{
	return run_begins();
}

SEC("kretprobe/net_rx_action")
int net_rx_action_kretprobe(void *ctx)
{
	return run_ends();
}

/* icmp_echo() is given echo requests, and extended ones (RFC 8335), which are not told of. */
static __always_inline int answer(const bool direct, struct sk_buff *skb)
{
	struct cpu *s = this_cpu();
	__u64 head, pulled, queued;
	__u8 type;

	if (!s)
		return 0;
	head = (__u64)BPF_CORE_READ(skb, head);
	if (bpf_probe_read_kernel(&type, sizeof(type),
				  (void *)(head + READ(direct, skb, transport_header))))
		return 0;
	if (type != ICMP_ECHO)
		return 0;
	pulled = (__u64)BPF_CORE_READ(skb, data) - head - READ(direct, skb, network_header);
	queued = s->skb == (__u64)skb ? s->queued_ns : 0;
	send_packet(direct, s, skb, pulled, STALL_ECHO, bpf_ktime_get_ns(), queued);
	return 0;
}

SEC("fentry/icmp_echo")
int BPF_PROG(icmp_echo_fentry, struct sk_buff *skb)
{
	return answer(true, skb);
}

SEC("kprobe/icmp_echo")
int icmp_echo_kprobe(void *ctx)
{
	return answer(false, first_argument(ctx));
}

#endif
