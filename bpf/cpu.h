/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each CPU is about, and what it did while network work waited on it. */
#ifndef DROPWATCH_CPU_H
#define DROPWATCH_CPU_H

#include "hook.h"

#define NET_RX 3 /* NET_RX_SOFTIRQ, include/linux/interrupt.h */

/* Work that waited this long is reported. */
const volatile __u64 threshold_ns = 5000000;

/* Work that waits this long is looked at. */
const volatile __u64 watch_ns = 2000000;

/* Evidence that the CPU took no interrupts counts for work that begins this soon after. */
#define RECENT_NS 1000000

/* Packets sent of each window. */
#define MAX_LATE 256

/* Value: one of the records of wire.h, until user space has read it. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} stalls SEC(".maps");

/* Key: CPU. Value: its state, for the life of the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu);
} cpus SEC(".maps");

static __always_inline struct cpu *cpu_of(__u32 cpu)
{
	return bpf_map_lookup_elem(&cpus, &cpu);
}

static __always_inline struct cpu *this_cpu(void)
{
	return cpu_of(bpf_get_smp_processor_id());
}

static __always_inline void copy_task(const bool direct, struct task *to, struct task_struct *task)
{
	to->pid = READ(direct, task, pid);
	to->tgid = READ(direct, task, tgid);
	to->policy = READ(direct, task, policy);
	to->prio = READ(direct, task, prio);
	to->flags = READ(direct, task, flags) & PF_KTHREAD ? TASK_KTHREAD : 0;
	if (direct)
		__builtin_memcpy(to->comm, task->comm, sizeof(to->comm));
	else
		BPF_CORE_READ_INTO(&to->comm, task, comm);
}

#define FOLLOWS_TASK                                                                               \
	(typed && bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf))

/* The running task. Needs kernel 5.11+ for a pointer that may be followed without a helper. */
static __always_inline struct task_struct *current_task(void)
{
	if (FOLLOWS_TASK)
		return bpf_get_current_task_btf();
	return (void *)bpf_get_current_task();
}

static __always_inline void copy_current(struct task *to)
{
	if (FOLLOWS_TASK)
		copy_task(true, to, bpf_get_current_task_btf());
	else
		copy_task(false, to, (void *)bpf_get_current_task());
}

static __always_inline void copy_handler(char *to, struct cpu *s)
{
	struct irqaction *action = (void *)s->action;

	to[0] = 0;
	if (given == GIVEN_RECORD)
		__builtin_memcpy(to, s->handler, sizeof(s->handler));
	else if (action)
		bpf_probe_read_kernel_str(to, sizeof(s->handler), BPF_CORE_READ(action, name));
}

/* What the CPU is in the middle of, but for the task. */
static __always_inline void copy_context(struct interrupted *at, struct cpu *s)
{
	at->vector = s->vector - 1;
	at->vector_ns = s->vector ? s->vector_ns : 0;
	at->timer = s->timer;
	at->timer_ns = s->timer_ns;
	at->irq = s->irq_ns ? s->irq : -1;
	at->irq_ns = s->irq_ns;
	at->handler[0] = 0;
	if (s->irq_ns)
		copy_handler(at->handler, s);
}

static __always_inline void copy_state(struct interrupted *at, struct cpu *s)
{
	copy_current(&at->task);
	copy_context(at, s);
}

static __always_inline bool waits(struct cpu *s)
{
	return s->raised_ns || s->threads;
}

/* Room for an edge; NULL if there is none, which is counted. */
static __always_inline struct edge *next_edge(struct cpu *s, __u64 now, __u16 kind)
{
	struct edge *edge;
	__u32 i = s->window.edges;

	if (i >= MAX_EDGES) {
		s->window.edges_lost++;
		return NULL;
	}
	s->window.edges = i + 1;
	edge = &s->window.edge[i & (MAX_EDGES - 1)];
	edge->time_ns = now;
	edge->kind = kind;
	return edge;
}

/* A record tells little of the task that is switched to. While that runs, all of it is known. */
static __always_inline void complete_switch(struct cpu *s)
{
	if (given != GIVEN_RECORD || !s->switched)
		return;
	copy_current(&s->window.edge[(s->switched - 1) & (MAX_EDGES - 1)].task);
	s->switched = 0;
}

/* What was seen to keep interrupts off the CPU kept work that comes now, too. */
static __always_inline bool kept(struct cpu *s, __u64 now)
{
	return s->window.flags & WINDOW_BLOCKED && now - s->window.blocked_till_ns <= RECENT_NS;
}

/* Since when work that comes now is kept waiting. */
static __always_inline __u64 kept_since(struct cpu *s, __u64 now)
{
	return kept(s, now) && s->window.blocked_from_ns < now ? s->window.blocked_from_ns : now;
}

/*
 * Work may wait from now on, and no other does; what is known of an earlier wait is of no
 * use any more. The task is copied when another one has its turn, or when the work has.
 */
static __always_inline void begin(struct cpu *s, __u64 now)
{
	struct window *w = &s->window;

	if (!kept(s, now))
		w->flags = 0;
	s->start_ns = kept_since(s, now);
	w->edges = 0;
	w->edges_lost = 0;
	s->switched = 0;
	w->ticks = 0;
	s->samples = 0;
	w->at.task.comm[0] = 0;
	copy_context(&w->at, s);
}

static __always_inline void forget(struct cpu *s)
{
	s->start_ns = 0;
	s->samples = 0;
}

static __always_inline void fill_header(struct header *head, __u32 type, __u64 now, __u64 start)
{
	head->type = type;
	head->cpu = bpf_get_smp_processor_id();
	head->time_ns = now;
	head->start_ns = start;
}

static __always_inline void count_submit(struct cpu *s, long err)
{
	if (err)
		__sync_fetch_and_add(&s->ring_full, 1);
	else
		__sync_fetch_and_add(&s->submitted, 1);
}

#endif
