//go:build ignore

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts every skb freed through skb:kfree_skb and samples some with their stack. */
#include "tracepoint.h"
#include "wire.h"
#include "cell.h"
#include "record.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/*
 * Where two functions begin and end that free for others; 0: not known. A location in
 * one says nothing, its caller does.
 *
 * kfree_skb(): gcc may split it in two, as for Debian's 5.10 on arm64; the location is
 * then within it, and not where it was called. kfree_skb_reason() is kept whole by
 * __fix_address (net/core/skbuff.c).
 *
 * kfree_skb_list(), later kfree_skb_list_reason(): before 6.3 (a4650da2a2d6) the location
 * of all that it frees, packets that a queue refuses and parts of others alike.
 */
const volatile __u64 split_start = 0;
const volatile __u64 split_end = 0;
const volatile __u64 list_start = 0;
const volatile __u64 list_end = 0;

#define NEAREST 16 /* frames that lead from the program to the caller of kfree_skb_list() */

/*
 * Have bpf2go generate what no map names. They are constants, as a section of variables
 * takes a page of RLIMIT_MEMLOCK.
 */
const struct record *const volatile unused_record = NULL;
const enum record_flag *const volatile unused_flag = NULL;
const enum packet_sort *const volatile unused_sort = NULL;
const enum cell_location *const volatile unused_location = NULL;

/*
 * The last word of a cell's key. It is put together in a register, as reading
 * back bytes that were just written would stall.
 */
static __always_inline __u64 key_word(__u32 netns, __u32 kind, __u8 sort)
{
	return netns | (__u64)kind << 32 | (__u64)sort << 56;
}

/* What a drop is counted by if its device or ethertype is not plain to see. */
static __noinline int describe_slowly(struct cell_key *key, struct sk_buff *skb, const void *rx_sk)
{
	struct sock *sk = socket_of(skb, rx_sk);
	struct place place;
	struct net *net;
	__u16 ethertype;
	__u8 sort = 0;
	__u64 word;

	if (!key)
		return 0;
	ethertype = bpf_ntohs(BPF_CORE_READ(skb, protocol));
	find_place(&place, skb, sk);
	if (ethertype)
		sort = sort_of(false, skb);
	else if (sk)
		sort = BPF_CORE_READ(sk, __sk_common.skc_family);
	net = place.net;
	key->ifindex = place.ifindex;
	word = key_word(net ? BPF_CORE_READ(net, ns.inum) : 0, rare_kind_of(skb, ethertype), sort);
	__builtin_memcpy(&key->netns, &word, sizeof(word));
	return 0;
}

/* What a drop is counted by, if its device pointer and its ethertype are good. */
static __always_inline void describe(const bool direct, struct cell_key *key, struct sk_buff *skb,
				     struct net_device *dev, __u16 ethertype)
{
	struct net *net = READ(direct, dev, nd_net.net);
	__u64 word = key_word(READ(direct, net, ns.inum), kind_of(direct, skb, ethertype),
			      sort_of(direct, skb));

	key->ifindex = READ(direct, dev, ifindex);
	__builtin_memcpy(&key->netns, &word, sizeof(word));
}

static __always_inline bool frees_for_others(__u64 location)
{
	return (split_end && location >= split_start && location < split_end) ||
	       (list_end && location >= list_start && location < list_end);
}

/* Where functions that free for others were called; the location itself if it is not found. */
static __noinline __u64 caller_of(void *ctx, __u64 location)
{
	__u64 stack[NEAREST] = {};
	bool found = false;
	int i;

	if (bpf_get_stack(ctx, stack, sizeof(stack), 0) < 0)
		return location;
	for (i = 0; i < NEAREST; i++) {
		if (stack[i] == location)
			found = true;
		else if (found && stack[i] && !frees_for_others(stack[i]))
			return stack[i];
	}
	return location;
}

static __always_inline __u64 site(void *ctx, __u64 location)
{
	return frees_for_others(location) ? caller_of(ctx, location) : location;
}

static __always_inline int on_drop(const bool direct, void *ctx, struct sk_buff *skb,
				   void *location, __u32 reason, const void *rx_sk)
{
	__u16 ethertype = bpf_ntohs(READ(direct, skb, protocol));
	struct net_device *dev = READ(direct, skb, dev);
	__u32 cpu = bpf_get_smp_processor_id();
	struct cell *cell = NULL;
	struct cell_key key; /* not cleared: the rest is described one way or the other */

	key.location = site(ctx, (__u64)location);
	key.reason = reason;
	if (dev && ethertype) {
		describe(direct, &key, skb, dev, ethertype);
		cell = look_up(&key, cpu);
	}
	if (!cell) {
		/* Only now is it worth asking whether dev is a device at all. */
		describe_slowly(&key, skb, rx_sk);
		cell = look_up(&key, cpu);
		if (!cell)
			cell = insert(&key, cpu);
	}
	if (!cell || !count(cell, READ(direct, skb, len), more_segments(direct, skb)))
		return 0;
	return sample(ctx, &key, cell, cpu, skb, rx_sk);
}

static __always_inline int dispatch(const bool direct, __u64 *ctx)
{
	struct trace_event_raw_kfree_skb *record = NULL;
	const void *rx_sk = NULL;
	__u32 reason = 0;

	if (bpf_core_field_exists(record->reason))
		reason = ctx[2];
	if (bpf_core_field_exists(record->rx_sk))
		rx_sk = &ctx[3];
	return on_drop(direct, ctx, (void *)ctx[0], (void *)ctx[1], reason, rx_sk);
}

SEC("tp_btf/kfree_skb")
int kfree_skb_btf(__u64 *ctx)
{
	return dispatch(true, ctx);
}

SEC("raw_tp/kfree_skb")
int kfree_skb_raw(__u64 *ctx)
{
	return dispatch(false, ctx);
}

SEC("tp/skb/kfree_skb")
int kfree_skb_record(struct trace_event_raw_kfree_skb *ctx)
{
	const void *rx_sk = NULL;
	__u32 reason = 0;

	if (bpf_core_field_exists(ctx->reason))
		reason = ctx->reason;
	if (bpf_core_field_exists(ctx->rx_sk))
		rx_sk = &ctx->rx_sk;
	return on_drop(false, ctx, ctx->skbaddr, ctx->location, reason, rx_sk);
}

/*
 * Where the kernel's types are not known, or its memory may not be read: drops by
 * location and reason alone. A relocation would keep these programs from being loaded.
 */
static __always_inline int on_unread(void *ctx, __u64 location, __u32 reason)
{
	struct cell_key key = { .location = site(ctx, location), .reason = reason };
	__u32 cpu = bpf_get_smp_processor_id();
	struct cell *cell = look_up(&key, cpu);

	if (!cell)
		cell = insert(&key, cpu);
	if (!cell || !count(cell, 0, 0))
		return 0;
	return sample(ctx, &key, cell, cpu, NULL, NULL);
}

SEC("raw_tp/kfree_skb")
int kfree_skb_unread(__u64 *ctx)
{
	return on_unread(ctx, ctx[1], ctx[2]);
}

/* A kernel that states no reasons attaches no program that asks for one. */
SEC("raw_tp/kfree_skb")
int kfree_skb_unread_no_reason(__u64 *ctx)
{
	return on_unread(ctx, ctx[1], 0);
}
