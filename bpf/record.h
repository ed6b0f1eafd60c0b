/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A sample of the drops of a cell: who ran, which packet it was, and with which stack. */
#ifndef DROPWATCH_RECORD_H
#define DROPWATCH_RECORD_H

#include "kernel.h"
#include "wire.h"
#include "cell.h"
#include "packet.h"

/* &__preempt_count - &runqueues, both per-CPU; 0: unknown on this kernel. */
const volatile __s64 preempt_count_offset = 0;

/* Wake the reader once this many bytes wait; it looks by itself several times a second. */
const volatile __u64 wakeup_bytes = 1 << 20;

/* Value: struct record and packet_bytes more, until user space has read it. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} samples SEC(".maps");

static __always_inline void copy_preempt_count(struct record *rec, struct task_struct *task)
{
	struct task_struct___arm64 *arm = (void *)task;
	struct rq *rq;

	rec->preempt_count = 0;
	if (bpf_core_field_exists(arm->thread_info.preempt_count)) {
		rec->preempt_count = BPF_CORE_READ(arm, thread_info.preempt_count);
	} else {
		if (!preempt_count_offset || !bpf_core_field_exists(struct cfs_rq, rq))
			return;
		/* This CPU's queue; other per-CPU variables are at fixed distances from it. */
		rq = BPF_CORE_READ(task, se.cfs_rq, rq);
		if (BPF_CORE_READ(rq, cpu) != rec->cpu ||
		    bpf_probe_read_kernel(&rec->preempt_count, sizeof(rec->preempt_count),
					  (void *)rq + preempt_count_offset))
			return;
	}
	rec->preempt_count |= softirq_bits();
	rec->flags |= RECORD_PREEMPT_COUNT;
}

static __always_inline void copy_task(struct record *rec)
{
	__u64 id = bpf_get_current_pid_tgid();

	rec->pid = id;
	rec->tgid = id >> 32;
	rec->cgroup_id = bpf_get_current_cgroup_id();
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
}

/* What the CPU is in the middle of. */
static __always_inline void copy_context(struct record *rec)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		rec->flags |= RECORD_KTHREAD;
	copy_preempt_count(rec, task);
}

static __always_inline void copy_device(struct record *rec, struct sk_buff *skb, const void *rx_sk)
{
	struct net_device *dev;
	struct place place;

	__builtin_memset(rec->device, 0, sizeof(rec->device));
	find_place(&place, skb, socket_of(skb, rx_sk));
	dev = place.dev;
	if (!dev && place.net && place.ifindex)
		dev = device_by_index(place.net, place.ifindex);
	if (dev)
		BPF_CORE_READ_INTO(&rec->device, dev, name);
}

/* Sends the sample of a cell. skb is NULL if the kernel's memory cannot be read. */
static __always_inline int sample(void *ctx, const struct cell_key *key, struct cell *cell,
				  __u32 cpu, struct sk_buff *skb, const void *rx_sk)
{
	__u64 wakeup = BPF_RB_NO_WAKEUP, now = bpf_ktime_get_ns();
	struct cpu_stats *stat = bpf_map_lookup_elem(&stats, &cpu);
	struct record *rec;
	__u32 drops;

	if (!stat)
		return 0;
	drops = exact ? 1 : next_block(cell, stat->share, now);
	rec = bpf_ringbuf_reserve(&samples, sizeof(*rec) + packet_bytes, 0);
	if (!rec) {
		__sync_fetch_and_add(&stat->ring_full, 1);
		return 0;
	}

	rec->key = *key;
	rec->time_ns = now;
	rec->drops = drops;
	rec->cpu = cpu;
	rec->flags = same_key(&cell->key, key) ? 0 : RECORD_OVERFLOW;
	rec->segments = rec->ethertype = 0;
	copy_task(rec);
	if (skb) {
		rec->len = BPF_CORE_READ(skb, len);
		rec->segments = 1 + more_segments(false, skb);
		copy_context(rec);
		copy_vlan(rec, skb);
		copy_packet(rec, skb);
		copy_device(rec, skb, rx_sk);
	} else {
		rec->len = rec->preempt_count = 0;
		rec->vlan_tci = rec->packet_len = rec->l3 = 0;
		__builtin_memset(rec->device, 0, sizeof(rec->device));
	}

	rec->stack_len = bpf_get_stack(ctx, rec->stack, sizeof(rec->stack), 0);
	if (rec->stack_len <= 0)
		__sync_fetch_and_add(&stat->stack_failed, 1);

	if (bpf_ringbuf_query(&samples, BPF_RB_AVAIL_DATA) >= wakeup_bytes)
		wakeup = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(rec, wakeup);
	__sync_fetch_and_add(&stat->submitted, 1);
	return 0;
}

#endif
