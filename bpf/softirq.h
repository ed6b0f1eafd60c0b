/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* NET_RX: raised, served, done. */
#ifndef DROPWATCH_SOFTIRQ_H
#define DROPWATCH_SOFTIRQ_H

#include "sample.h"

/* What is not handled for so long after the first is not told to belong to it. */
#define DRAIN_NS 1000000000

static __always_inline __u32 bucket(__u64 ns)
{
	__u32 n = 0;

	if (ns >> 31)
		return BUCKETS - 1;
	if (ns >> 16) {
		n += 16;
		ns >>= 16;
	}
	if (ns >> 8) {
		n += 8;
		ns >>= 8;
	}
	if (ns >> 4) {
		n += 4;
		ns >>= 4;
	}
	if (ns >> 2) {
		n += 2;
		ns >>= 2;
	}
	return (n + (ns >> 1)) & (BUCKETS - 1);
}

/* Sends the open window and forgets it. */
static __noinline int finish(struct cpu *s, __u64 now)
{
	struct window *w;
	__u64 stolen = 0;

	if (!s)
		return 0;
	w = &s->window;
	complete_switch(s);
	fill_header(&w->head, STALL_WINDOW, now, s->start_ns);
	if (s->ticked && read_near(s, &stolen, sizeof(stolen), stolen_offset)) {
		w->stolen_ns = stolen - s->stolen_ns;
		w->flags |= WINDOW_STOLEN;
	}
	if (w->waiter != WAITER_PACKETS || w->late) {
		count_submit(s, bpf_ringbuf_output(&stalls, w, sizeof(*w), BPF_RB_FORCE_WAKEUP));
		w->flags = 0; /* the evidence is used up */
	}
	w->flags &= ~WINDOW_STOLEN;
	forget(s);
	return 0;
}

SEC("tp_btf/softirq_raise")
int softirq_raise(void *ctx)
{
	struct cpu *s;

	if ((__u32)ARGUMENT(ctx, 0, softirq, vec) != NET_RX)
		return 0;
	s = this_cpu();
	if (!s || s->raised_ns)
		return 0;
	s->raised_ns = bpf_ktime_get_ns();
	if (!s->open && !s->thread_ns && !s->served_ns)
		begin(s, s->raised_ns);
	return 0;
}

/* NET_RX is served from now on. */
static __always_inline void enter(struct cpu *s, __u64 now)
{
	struct window *w = &s->window;

	if (s->raised_ns)
		s->waits[bucket(now - s->raised_ns)]++;
	if (!serve(s, now, WAITER_SOFTIRQ) && !s->busy_ns) {
		w->runs = w->polls = w->full = w->squeezed = 0;
		w->packets = 0;
	}
	if (!s->busy_ns)
		s->busy_ns = now;
	s->served_ns = now;
	s->raised_ns = 0;
	w->runs++;
}

/* Whether all that had waited is handled at the end of a run. */
static __always_inline bool handled(struct cpu *s, __u64 now, bool more)
{
	struct window *w = &s->window;

	if (w->waiter == WAITER_THREAD)
		return false; /* a softirq runs meanwhile */
	if (!more || s->drained || now - w->served_ns > DRAIN_NS)
		return true;
	/* Where nobody sees packets come, more of them are new ones. */
	return w->waiter == WAITER_SOFTIRQ && !s->known;
}

/* A run is over, and counted once. */
static __always_inline void count_run(struct cpu *s, __u64 now)
{
	if (s->served_ns)
		s->runs[bucket(now - s->served_ns)]++;
	s->served_ns = 0;
}

/* It was. More work may have come meanwhile, or be left. */
static __always_inline void leave(struct cpu *s, __u64 now)
{
	bool more = s->raised_ns;

	count_run(s, now);
	if (more) {
		s->budget_ended++;
		s->window.squeezed++;
	} else {
		s->busy_ns = 0;
	}
	if (s->open && handled(s, now, more))
		finish(s, now);
	if (s->open || s->thread_ns)
		return;
	forget(s);
	if (more)
		begin(s, now);
}

SEC("tp_btf/softirq_entry")
int softirq_entry(void *ctx)
{
	__u32 vec = ARGUMENT(ctx, 0, softirq, vec);
	__u64 now = bpf_ktime_get_ns();
	struct cpu *s = this_cpu();
	struct edge *edge;

	if (!s)
		return 0;
	s->vector = vec + 1;
	s->vector_ns = now;
	if (vec == NET_RX)
		enter(s, now);
	if (waits(s) || s->open) {
		edge = next_edge(s, now, EDGE_SOFTIRQ_ENTRY);
		if (edge)
			edge->vector = vec;
	}
	return 0;
}

SEC("tp_btf/softirq_exit")
int softirq_exit(void *ctx)
{
	__u32 vec = ARGUMENT(ctx, 0, softirq, vec);
	struct cpu *s = this_cpu();
	struct edge *edge;
	__u64 now;

	if (!s)
		return 0;
	s->vector = 0;
	if (vec != NET_RX && !waits(s) && !s->open)
		return 0;
	now = bpf_ktime_get_ns();
	if (waits(s) || s->open) {
		edge = next_edge(s, now, EDGE_SOFTIRQ_EXIT);
		if (edge)
			edge->vector = vec;
	}
	if (vec == NET_RX)
		leave(s, now);
	return 0;
}

SEC("tp_btf/napi_poll")
int napi_poll(void *ctx)
{
	struct napi_struct *napi = (void *)ARGUMENT(ctx, 0, napi_poll, napi);
	int work = ARGUMENT(ctx, 1, napi_poll, work);
	struct cpu *s = this_cpu();
	struct net_device *dev;
	struct window *w;

	if (!s)
		return 0;
	w = &s->window;
	w->polls++;
	w->packets += work;
	if (work >= (int)ARGUMENT(ctx, 2, napi_poll, budget))
		w->full++;
	else if (!s->open)
		return 0;
	dev = READ(DIRECT, napi, dev);
	__builtin_memset(w->device, 0, sizeof(w->device));
	if (dev)
		BPF_CORE_READ_INTO(&w->device, dev, name);
	return 0;
}

#endif
