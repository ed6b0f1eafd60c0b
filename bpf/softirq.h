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

/*
 * Sends the open window. What else waits goes on to wait, and what is known of that time
 * is kept.
 */
static __noinline int finish(struct cpu *s, __u64 now, __u32 flags)
{
	struct window *w;
	__u64 stolen = 0;

	if (!s)
		return 0;
	w = &s->window;
	complete_switch(s);
	fill_header(&w->head, STALL_WINDOW, now, s->start_ns);
	w->flags |= flags;
	if (s->ticked && read_near(s, &stolen, sizeof(stolen), stolen_offset)) {
		w->stolen_ns = stolen - s->stolen_ns;
		w->flags |= WINDOW_STOLEN;
	}
	if (w->waiter != WAITER_PACKETS || w->late) {
		count_submit(s, bpf_ringbuf_output(&stalls, w, sizeof(*w), BPF_RB_FORCE_WAKEUP));
		if (!waits(s))
			w->flags = 0; /* the evidence is used up */
	}
	w->flags &= ~(WINDOW_STOLEN | WINDOW_CUT);
	s->open = 0;
	if (!waits(s))
		forget(s);
	return 0;
}

static __always_inline void open(struct cpu *s, __u64 served, __u32 waiter)
{
	struct window *w = &s->window;

	if (!w->at.task.comm[0])
		copy_current(&w->at.task);
	s->open = 1;
	s->packets = 0;
	s->drained = 0;
	s->known = 0;
	w->waiter = waiter;
	w->served_ns = served;
	w->raised_ns = 0;
	w->woken_ns = 0;
	w->thread_pid = 0;
	w->waited_cpu = 0;
	w->longest_ns = w->longest_till_ns = 0;
	w->late = 0;
}

/* The work is being done that waited. True if that was so long that it is told about. */
static __always_inline bool serve(struct cpu *s, __u64 now, __u64 since, __u32 waiter)
{
	struct window *w = &s->window;

	if (now - since < threshold_ns)
		return false;
	if (s->open) /* for other work, which may not be done yet */
		finish(s, now, WINDOW_CUT);
	open(s, now, waiter);
	w->runs = w->polls = w->full = w->squeezed = 0;
	w->packets = 0;
	return true;
}

SEC("tp_btf/softirq_raise")
int softirq_raise(void *ctx)
{
	struct cpu *s;
	__u64 now;

	if ((__u32)ARGUMENT(ctx, 0, softirq, vec) != NET_RX)
		return 0;
	s = this_cpu();
	if (!s || s->raised_ns)
		return 0;
	now = bpf_ktime_get_ns();
	if (!s->open && !s->threads && !s->served_ns)
		begin(s, now);
	s->raised_ns = now;
	s->pending_ns = s->served_ns ? now : kept_since(s, now);
	return 0;
}

/* NET_RX is served from now on. */
static __always_inline void enter(struct cpu *s, __u64 now)
{
	struct window *w = &s->window;
	__u64 raised = s->raised_ns, since = s->pending_ns;

	if (raised) {
		s->waits[bucket(now - raised)]++;
	} else {
		since = kept_since(s,
				   now); /* raised when interrupts were back on, which nobody saw */
		if (now - since >= threshold_ns && !s->threads && !s->open)
			begin(s, now);
	}
	if (serve(s, now, since, WAITER_SOFTIRQ)) {
		w->raised_ns = raised;
	} else if (!s->open && !s->busy_ns) {
		w->runs = w->polls = w->full = w->squeezed = 0;
		w->packets = 0;
	}
	s->raised_ns = 0; /* not before: what is known of the wait is kept while work waits */
	if (!s->busy_ns)
		s->busy_ns = now;
	s->served_ns = now;
	s->received =
		s->busy_ns != now; /* in a run on its own the first one waited for that alone */
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
		s->pending_ns = now;
	} else {
		s->busy_ns = 0;
		s->idle_ns = now;
	}
	if (s->open && handled(s, now, more))
		finish(s, now, more && !s->drained ? WINDOW_CUT : 0);
	if (s->open || s->threads)
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

#endif
