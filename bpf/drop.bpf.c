//go:build ignore

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts every skb freed through skb:kfree_skb and samples some with their stack. */
#include "kernel.h"
#include "wire.h"
#include "cell.h"
#include "packet.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* &__preempt_count - &runqueues, both per-CPU; 0: unknown on this kernel. */
const volatile __s64 preempt_count_offset = 0;

/* Wake the reader once this many bytes wait; it looks by itself several times a second. */
const volatile __u64 wakeup_bytes = 1 << 20;

/* Value: struct record and packet_bytes more, until user space has read it. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} samples SEC(".maps");

/* Key: CPU. Value: what became of its samples, for the life of the program. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_stats);
} stats SEC(".maps");

/* Have bpf2go generate what no map names. */
const struct record *unused_record __attribute__((unused));
const enum record_flag *unused_flag __attribute__((unused));

static __always_inline void copy_preempt_count(struct record *rec, struct task_struct *task)
{
	struct task_struct___arm64 *arm = (void *)task;
	struct rq *rq;

	rec->preempt_count = 0;
	if (bpf_core_field_exists(arm->thread_info.preempt_count)) {
		rec->preempt_count = BPF_CORE_READ(arm, thread_info.preempt_count);
		rec->flags |= RECORD_PREEMPT_COUNT;
		return;
	}
	if (!preempt_count_offset || !bpf_core_field_exists(struct cfs_rq, rq))
		return;
	/* The running task's queue is this CPU's, a per-CPU variable: others lie at fixed distances. */
	rq = BPF_CORE_READ(task, se.cfs_rq, rq);
	if (BPF_CORE_READ(rq, cpu) != rec->cpu)
		return;
	if (!bpf_probe_read_kernel(&rec->preempt_count, sizeof(rec->preempt_count),
				   (void *)rq + preempt_count_offset))
		rec->flags |= RECORD_PREEMPT_COUNT;
}

static __always_inline void copy_task(struct record *rec)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 id = bpf_get_current_pid_tgid();

	rec->pid = id;
	rec->tgid = id >> 32;
	rec->cgroup_id = bpf_get_current_cgroup_id();
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		rec->flags |= RECORD_KTHREAD;
	copy_preempt_count(rec, task);
}

/* The socket of a packet: on receive the kernel hands it over since 6.11. */
static __always_inline struct sock *socket_of(const bool direct, struct sk_buff *skb,
					      struct sock *rx_sk)
{
	return rx_sk ?: READ(direct, skb, sk);
}

static __always_inline void copy_device(struct record *rec, struct sk_buff *skb,
					struct sock *rx_sk)
{
	struct net_device *dev = BPF_CORE_READ(skb, dev);
	struct sock *sk;

	__builtin_memset(rec->device, 0, sizeof(rec->device));
	if (!rec->key.ifindex)
		return;
	if (!dev || !is_device(false, dev)) {
		sk = socket_of(false, skb, rx_sk);
		dev = device_by_index(BPF_CORE_READ(sk, __sk_common.skc_net.net), rec->key.ifindex);
	}
	if (dev)
		BPF_CORE_READ_INTO(&rec->device, dev, name);
}

static __always_inline int sample(void *ctx, const struct cell_key *key, __u32 drops, __u64 now,
				  bool overflow, __u32 cpu, struct sk_buff *skb, struct sock *rx_sk)
{
	__u64 wakeup = BPF_RB_NO_WAKEUP;
	struct record *rec;
	struct cpu_stats *stat;

	stat = bpf_map_lookup_elem(&stats, &cpu);
	if (!stat)
		return 0;
	rec = bpf_ringbuf_reserve(&samples, sizeof(*rec) + packet_bytes, 0);
	if (!rec) {
		__sync_fetch_and_add(&stat->ring_full, 1);
		return 0;
	}

	rec->key = *key;
	rec->time_ns = now;
	rec->drops = drops;
	rec->cpu = cpu;
	rec->len = BPF_CORE_READ(skb, len);
	rec->flags = overflow ? RECORD_OVERFLOW : 0;
	rec->pad = 0;
	copy_task(rec);
	copy_vlan(rec, skb);
	copy_packet(rec, skb);
	copy_device(rec, skb, rx_sk);

	rec->stack_len = bpf_get_stack(ctx, rec->stack, sizeof(rec->stack), 0);
	if (rec->stack_len <= 0)
		__sync_fetch_and_add(&stat->stack_failed, 1);

	if (bpf_ringbuf_query(&samples, BPF_RB_AVAIL_DATA) >= wakeup_bytes)
		wakeup = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(rec, wakeup);
	__sync_fetch_and_add(&stat->submitted, 1);
	return 0;
}

/*
 * The last word of a cell's key. It is put together in a register, as reading
 * back bytes that were just written would stall.
 */
static __always_inline __u64 key_word(__u32 netns, __u16 ethertype, __u8 l4, __u8 family)
{
	return netns | (__u64)ethertype << 32 | (__u64)l4 << 48 | (__u64)family << 56;
}

/* The word for a packet whose device or ethertype is unknown: its socket helps. */
static __noinline __u64 ask_socket(const bool direct, struct sk_buff *skb,
				   struct net_device *dev, struct sock *rx_sk)
{
	__u16 ethertype = bpf_ntohs(READ(direct, skb, protocol));
	struct sock *sk = socket_of(direct, skb, rx_sk);
	struct net *net = NULL;
	__u8 family = 0;

	if (dev)
		net = READ(direct, dev, nd_net.net);
	else if (sk)
		net = READ(direct, sk, __sk_common.skc_net.net);
	if (sk && !ethertype)
		family = READ(direct, sk, __sk_common.skc_family);
	return key_word(net ? READ(direct, net, ns.inum) : 0, ethertype,
			transport_of(direct, skb, ethertype), family);
}

/* What the drop is counted by. dev is skb->dev, or NULL if that is none. */
static __always_inline void describe(const bool direct, struct cell_key *key, struct sk_buff *skb,
				     struct net_device *dev, struct sock *rx_sk)
{
	__u16 ethertype = bpf_ntohs(READ(direct, skb, protocol));
	struct net *net;
	__u64 word;

	key->ifindex = dev ? READ(direct, dev, ifindex) : READ(direct, skb, skb_iif);
	if (dev && ethertype) {
		net = READ(direct, dev, nd_net.net);
		word = key_word(READ(direct, net, ns.inum), ethertype,
				transport_of(direct, skb, ethertype), 0);
	} else {
		word = ask_socket(direct, skb, dev, rx_sk);
	}
	__builtin_memcpy(&key->netns, &word, sizeof(word));
}

static __always_inline int on_drop(const bool direct, void *ctx, struct sk_buff *skb,
				   void *location, __u32 reason, struct sock *rx_sk)
{
	struct cell_key key = { .location = (__u64)location, .reason = reason };
	struct net_device *dev = READ(direct, skb, dev);
	__u32 cpu = bpf_get_smp_processor_id();
	struct cell *cell;
	__u64 now;

	describe(direct, &key, skb, dev, rx_sk);
	cell = look_up(&key, cpu);
	if (!cell) {
		/* Only now is it worth asking whether dev was one at all. */
		if (dev && !is_device(direct, dev)) {
			describe(direct, &key, skb, NULL, rx_sk);
			cell = look_up(&key, cpu);
		}
		if (!cell)
			cell = insert(&key, cpu);
	}
	if (!cell || !count(cell, READ(direct, skb, len)))
		return 0;
	now = bpf_ktime_get_ns();
	return sample(ctx, &key, exact ? 1 : next_block(cell, now), now,
		      !same_key(&cell->key, &key), cpu, skb, rx_sk);
}

static __always_inline int dispatch(const bool direct, __u64 *ctx)
{
	__u32 reason = 0;
	void *rx_sk = NULL;

	if (bpf_core_field_exists(struct trace_event_raw_kfree_skb, reason))
		reason = ctx[2];
	if (bpf_core_field_exists(struct trace_event_raw_kfree_skb___rx_sk, rx_sk))
		rx_sk = (void *)ctx[3];
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
