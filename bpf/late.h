/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When packets came, and which of them had waited. */
#ifndef DROPWATCH_LATE_H
#define DROPWATCH_LATE_H

#include <bpf/bpf_endian.h>

#include "softirq.h"

#define STAMPS (1 << 14)

/*
 * For how long a packet may lie in a queue while NET_RX of its CPU runs: until the sender's own
 * run ends, which interrupts that CPU.
 */
#define STALE_NS 20000000

#define ETH_P_IP     0x0800
#define IPPROTO_ICMP 1

/* Tell of every ICMP echo request. */
const volatile bool echoes = false;

/* A program on icmp_echo does, and packets are not parsed for them when they come. */
const volatile bool icmp_echo_traced = false;

struct stamp {
	__u64 skb;
	__u64 time_ns;
};

/*
 * When a packet was put into a queue, by the skb's address, until it is handled. There
 * are four slots for each address, in a cache line: where all are in use, one that comes
 * later takes the first. Addresses are reused soon, so few slots are in use.
 */
struct stamp stamps[STAMPS] __attribute__((aligned(64)));

#define WAYS 4

static __always_inline __u32 slot_of(__u64 skb)
{
	return skb * 0x9e3779b97f4a7c15ULL >> 50 & (STAMPS - 1);
}

static __always_inline struct stamp *stamp_at(__u32 slot, __u32 way)
{
	return &stamps[(slot ^ way) & (STAMPS - 1)];
}

static __always_inline void stamp(__u64 skb)
{
	__u32 slot = slot_of(skb), way;
	struct stamp *at;

#pragma unroll
	for (way = 0; way < WAYS; way++) {
		at = stamp_at(slot, way);
		if (!at->skb || at->skb == skb)
			goto found;
	}
	at = stamp_at(slot, 0);
found:
	at->skb = skb;
	at->time_ns = bpf_ktime_get_ns();
}

/*
 * When a packet came, and 0 if nobody saw it come. To be asked once for every packet:
 * another one may have the address next.
 */
static __always_inline __u64 came(struct cpu *s, struct sk_buff *skb)
{
	struct stamp *at;
	__u64 address;
	__u32 slot, way;

	/* The verifier refuses arithmetic on a pointer, but not on a number read from memory. */
	s->skb = (__u64)skb;
	address = *(volatile __u64 *)&s->skb;
	slot = slot_of(address);
#pragma unroll
	for (way = 0; way < WAYS; way++) {
		at = stamp_at(slot, way);
		if (at->skb == address) {
			at->skb = 0;
			return at->time_ns;
		}
	}
	return 0;
}

/*
 * Sends a packet from its network header on, of which so many bytes were pulled: none
 * where netif_receive_skb is given it, after eth_type_trans.
 */
static __always_inline void send_packet(const bool direct, struct cpu *s, struct sk_buff *skb,
					__u32 pulled, __u32 type, __u64 now, __u64 queued)
{
	struct late_packet *rec = bpf_ringbuf_reserve(&stalls, sizeof(*rec), 0);
	struct net_device *dev;
	__u64 header;
	__u32 length;

	if (!rec) {
		count_submit(s, 1);
		return;
	}
	fill_header(&rec->head, type, now, s->start_ns);
	rec->queued_ns = queued;
	copy_current(&rec->task);
	rec->preempt_count = 0;
	rec->flags = read_preempt_count(s, &rec->preempt_count) ? SAMPLE_PREEMPT_COUNT : 0;
	dev = READ(direct, skb, dev);
	rec->ifindex = BPF_CORE_READ(dev, ifindex);
	rec->netns = BPF_CORE_READ(dev, nd_net.net, ns.inum);
	BPF_CORE_READ_INTO(&rec->device, dev, name);
	rec->len = READ(direct, skb, len) + pulled;
	rec->ethertype = bpf_ntohs(READ(direct, skb, protocol));
	header = (__u64)BPF_CORE_READ(skb, data) - pulled;
	length = (__u64)BPF_CORE_READ(skb, head) + READ(direct, skb, tail) - header;
	if (length > STALL_PACKET_LEN)
		length = STALL_PACKET_LEN;
	rec->packet_len = bpf_probe_read_kernel(rec->packet, length, (void *)header) ? 0 : length;
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
	count_submit(s, 0);
}

/* Packets wait, since a time, because those before them take long: look at those that come now. */
static __always_inline void watch(struct cpu *s, __u64 since)
{
	if (!s->threads) {
		s->start_ns = since;
		s->window.edges = s->window.edges_lost = 0;
		s->window.at.task.comm[0] = 0;
		copy_context(&s->window.at, s);
	}
	open(s, s->busy_ns, WAITER_PACKETS);
}

/*
 * Whether a packet is of the work that a window is open for, and not handled by other work
 * meanwhile. Softirqs handle what was seen to come, even where their entry was not seen.
 */
static __always_inline bool belongs(struct cpu *s, __u64 queued)
{
	struct window *w = &s->window;

	if (w->waiter == WAITER_THREAD)
		return !s->vector && s->thread_pid == w->thread_pid;
	return s->vector == NET_RX + 1 || (queued && !s->thread_pid);
}

/*
 * A packet is handled while a window is open: it had waited, or it tells that all that
 * had are done. One that nobody saw come may have waited, but behind slow packets it
 * tells nothing.
 */
static __always_inline void receive(struct cpu *s, struct sk_buff *skb, __u64 queued, __u64 now)
{
	struct window *w = &s->window;
	bool behind = w->waiter == WAITER_PACKETS;

	if (!queued) {
		if (behind || s->drained)
			return;
	} else {
		if (!behind && queued >= w->served_ns) {
			s->drained = 1;
			return;
		}
		s->known = 1;
		if (now - queued > w->longest_ns) {
			w->longest_ns = now - queued;
			w->longest_till_ns = now;
		}
		s->drained = behind && now - queued < threshold_ns;
		if (now - queued < threshold_ns)
			return;
	}
	w->late++;
	if (s->packets >= MAX_LATE)
		return;
	s->packets++;
	send_packet(DIRECT, s, skb, 0, STALL_PACKET, now, queued);
}

/*
 * A packet that was seen to come waited long enough to be looked at, behind others of this busy
 * time.
 */
static __always_inline void find_late(struct cpu *s, __u64 queued, __u64 now)
{
	struct window *w = &s->window;

	if (s->open && w->waiter == WAITER_SOFTIRQ && queued >= w->served_ns)
		finish(s, now, 0); /* what had waited for the softirq is handled */
	if (!s->open)
		watch(s, queued < s->busy_ns ? queued : s->busy_ns);
}

/*
 * Opens a window, or has it begin earlier, if the first packet of a run waited for the
 * threshold. NET_RX may have been raised later than the packet came: while interrupts are
 * off, another CPU's interrupt that raises it is delayed, and so is the tick. A packet
 * from before NET_RX was idle last did not wait: it had its turn then.
 */
static __always_inline void reach_back(struct cpu *s, __u64 queued)
{
	if (queued < s->idle_ns || s->served_ns - queued < threshold_ns)
		return;
	if (s->open && s->window.waiter != WAITER_SOFTIRQ)
		return;
	if (!s->threads && !s->samples && (!s->start_ns || queued < s->start_ns))
		s->start_ns = queued; /* which names the window to its samples */
	if (!s->open)
		open(s, s->served_ns, WAITER_SOFTIRQ);
}

/* An IPv4 header without options (RFC 791), and the type of an ICMP message behind it. */
enum {
	IPV4_START = 0x45, /* version 4, five words */
	IPV4_PROTOCOL = 9, /* where the protocol's number is */
	IPV4_HEADER_LEN = 20,
	ICMP_ECHO_REQUEST = 8,
};

static __always_inline bool is_echo(struct sk_buff *skb)
{
	__u8 header[IPV4_HEADER_LEN + 1] = {};

	if (READ(DIRECT, skb, protocol) != bpf_htons(ETH_P_IP))
		return false;
	if (bpf_probe_read_kernel(header, sizeof(header), READ(DIRECT, skb, data)) ||
	    header[IPV4_PROTOCOL] != IPPROTO_ICMP)
		return false;
	return header[0] == IPV4_START && header[IPV4_HEADER_LEN] == ICMP_ECHO_REQUEST;
}

static __always_inline void echo(struct cpu *s, struct sk_buff *skb, __u64 queued)
{
	if (is_echo(skb))
		send_packet(DIRECT, s, skb, 0, STALL_ECHO, bpf_ktime_get_ns(), queued);
}

#endif
