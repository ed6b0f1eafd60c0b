/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Interrupts and timers: what they keep a CPU from, and the tick that takes samples. */
#ifndef DROPWATCH_INTERRUPT_H
#define DROPWATCH_INTERRUPT_H

#include "thread.h"

/* The function of the scheduler's tick; 0: any timer may take samples. */
const volatile __u64 tick_function = 0;

/*
 * What is known to have kept interrupts off this CPU. A late timer, which does not say
 * what that was, has to tell of more than is known to be worth it.
 */
static __always_inline void block(struct cpu *s, __u64 from, __u64 till, __u64 function,
				  __u32 flags)
{
	__u64 later = flags & WINDOW_LATE ? from + watch_ns : from;
	struct window *w = &s->window;

	if (s->open)
		return;
	if (w->flags & WINDOW_BLOCKED && till - w->blocked_till_ns < RECENT_NS &&
	    w->blocked_from_ns < later)
		return; /* other evidence of the same, less of it */
	w->blocked_from_ns = from;
	w->blocked_till_ns = till;
	w->blocked_function = function;
	w->blocked_handler[0] = 0;
	w->flags = WINDOW_BLOCKED | flags;
	if (s->raised_ns && from < s->pending_ns)
		s->pending_ns = from;
	if (!waits(s)) {
		s->start_ns = from;
		s->samples = 0;
	} else if (!s->samples && from < s->start_ns) {
		s->start_ns = from;
	}
}

SEC("tp_btf/irq_handler_entry")
int irq_handler_entry(void *ctx)
{
	struct trace_event_raw_irq_handler_entry *record = ctx;
	int irq = ARGUMENT(ctx, 0, irq_handler_entry, irq);
	struct cpu *s = this_cpu();
	struct edge *edge;

	if (!s)
		return 0;
	s->irq = irq;
	if (given == GIVEN_RECORD)
		bpf_probe_read_kernel_str(s->handler, sizeof(s->handler),
					  ctx + (record->__data_loc_name & 0xffff));
	else
		s->action = ((__u64 *)ctx)[1];
	s->irq_ns = bpf_ktime_get_ns();
	if (!waits(s))
		return 0;
	edge = next_edge(s, s->irq_ns, EDGE_IRQ_ENTRY);
	if (edge) {
		edge->irq = irq;
		copy_handler(edge->task.comm, s);
	}
	return 0;
}

SEC("tp_btf/irq_handler_exit")
int irq_handler_exit(void *ctx)
{
	struct cpu *s = this_cpu();
	struct edge *edge;
	__u64 now;

	if (!s || !s->irq_ns)
		return 0;
	now = bpf_ktime_get_ns();
	if (now - s->irq_ns >= watch_ns) {
		block(s, s->irq_ns, now, 0, 0);
		copy_handler(s->window.blocked_handler, s);
	}
	s->irq_ns = 0;
	if (!waits(s))
		return 0;
	edge = next_edge(s, now, EDGE_IRQ_EXIT);
	if (edge)
		edge->irq = ARGUMENT(ctx, 0, irq_handler_exit, irq);
	return 0;
}

static __always_inline void edge_of_timer(struct cpu *s, __u64 now, __u16 kind, __u64 function)
{
	struct edge *edge;

	if (!waits(s))
		return;
	edge = next_edge(s, now, kind);
	if (edge)
		edge->function = function;
}

static __always_inline void timer_starts(struct cpu *s, __u64 now, __u64 function)
{
	s->timer = function;
	s->timer_ns = now;
	edge_of_timer(s, now, EDGE_TIMER_ENTRY, function);
}

static __always_inline void timer_ends(struct cpu *s)
{
	if (waits(s))
		edge_of_timer(s, bpf_ktime_get_ns(), EDGE_TIMER_EXIT, s->timer);
	s->timer = 0;
	s->timer_ns = 0;
}

SEC("tp_btf/timer_expire_entry")
int timer_expire_entry(void *ctx)
{
	struct timer_list *timer = (void *)ARGUMENT(ctx, 0, timer_expire_entry, timer);
	struct cpu *s = this_cpu();

	if (s)
		timer_starts(s, bpf_ktime_get_ns(), (__u64)READ(DIRECT, timer, function));
	return 0;
}

SEC("tp_btf/timer_expire_exit")
int timer_expire_exit(void *ctx)
{
	struct cpu *s = this_cpu();

	if (s)
		timer_ends(s);
	return 0;
}

static __always_inline void tick(void *ctx, struct cpu *s, __u64 now, __u64 late_ns)
{
	if (!s->open && s->served_ns && now - s->busy_ns >= watch_ns)
		watch(s, s->busy_ns);
	if (given != GIVEN_RECORD && s->threads && !still_waits(s))
		reset_threads(s);
	if (outlived(s, now))
		finish(s, now, WINDOW_CUT);
	if (!late_ns && (!(waits(s) || s->open) || now - s->start_ns < watch_ns)) {
		s->ticked = read_near(s, &s->stolen_ns, sizeof(s->stolen_ns), stolen_offset);
		return;
	}
	s->window.ticks++;
	s->samples++;
	if (!s->window.at.task.comm[0])
		copy_current(&s->window.at.task);
	send_sample(ctx, s, now, late_ns);
}

SEC("tp_btf/hrtimer_expire_entry")
int hrtimer_expire_entry(void *ctx)
{
	struct hrtimer *timer = (void *)ARGUMENT(ctx, 0, hrtimer_expire_entry, hrtimer);
	__u64 function = (__u64)READ(DIRECT, timer, function), expires, late_ns = 0,
	      now = bpf_ktime_get_ns();
	struct hrtimer_clock_base *base;
	struct cpu *s = this_cpu();

	if (!s)
		return 0;
	if (READ(DIRECT, timer, is_soft)) {
		timer_starts(s, now, function);
		return 0;
	}
	s->hard = function;
	s->hard_ns = now;
	expires = READ(DIRECT, timer, node.expires);
	if (tick_function && function != tick_function)
		return 0; /* programs may ask for timers in the past */
	base = READ(DIRECT, timer, base);
	if (READ(DIRECT, base, clockid) == 1 /* CLOCK_MONOTONIC */ && now > expires &&
	    now - expires >= watch_ns) {
		late_ns = now - expires;
		block(s, expires, now, function, WINDOW_LATE);
	}
	tick(ctx, s, now, late_ns);
	return 0;
}

SEC("tp_btf/hrtimer_expire_exit")
int hrtimer_expire_exit(void *ctx)
{
	struct hrtimer *timer = (void *)ARGUMENT(ctx, 0, hrtimer_class, hrtimer);
	struct cpu *s = this_cpu();
	__u64 now;

	if (!s)
		return 0;
	if (READ(DIRECT, timer, is_soft)) {
		timer_ends(s);
		return 0;
	}
	if (!s->hard_ns)
		return 0;
	now = bpf_ktime_get_ns();
	if (now - s->hard_ns >= watch_ns)
		block(s, s->hard_ns, now, s->hard, 0);
	s->hard_ns = 0;
	return 0;
}

#endif
