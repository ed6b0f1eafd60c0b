//go:build ignore

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds out what keeps network work (NET_RX and NAPI threads) waiting on a CPU.
 * Nothing is sent of work that is done in time.
 */
#include "kernel.h"
#include "wire.h"
#include "cpu.h"
#include "sample.h"
#include "late.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* The function of the scheduler's tick; 0: any timer may take samples. */
const volatile __u64 tick_function = 0;

/* A thread that does not sleep for so long has handled what had waited, and more. */
#define THREAD_NS 100000000

/* What is not handled for so long after the first is not told to belong to it. */
#define DRAIN_NS 1000000000

/* Have bpf2go generate what no map names. */
const struct cpu_sample *unused_sample __attribute__((unused));
const struct late_packet *unused_packet __attribute__((unused));
const enum record_type *unused_type __attribute__((unused));
const enum edge_kind *unused_edge __attribute__((unused));
const enum waiter *unused_waiter __attribute__((unused));
const enum window_flag *unused_window_flag __attribute__((unused));
const enum sample_flag *unused_sample_flag __attribute__((unused));
const enum task_flag *unused_task_flag __attribute__((unused));

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
int BPF_PROG(softirq_raise, unsigned int vec)
{
	struct cpu *s;

	if (vec != NET_RX)
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

/* It was. More work may have come meanwhile, or be left. */
static __always_inline void leave(struct cpu *s, __u64 now)
{
	bool more = s->raised_ns;

	if (s->served_ns)
		s->runs[bucket(now - s->served_ns)]++;
	s->served_ns = 0;
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
int BPF_PROG(softirq_entry, unsigned int vec)
{
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
int BPF_PROG(softirq_exit, unsigned int vec)
{
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
int BPF_PROG(napi_poll, struct napi_struct *napi, int work, int budget)
{
	struct cpu *s = this_cpu();
	struct net_device *dev;
	struct window *w;

	if (!s)
		return 0;
	w = &s->window;
	w->polls++;
	w->packets += work;
	if (work >= budget)
		w->full++;
	else if (!s->open)
		return 0;
	dev = napi->dev;
	__builtin_memset(w->device, 0, sizeof(w->device));
	if (dev)
		BPF_CORE_READ_INTO(&w->device, dev, name);
	return 0;
}

/* Whether a task that is switched from waits for something, or was only preempted. */
static __always_inline bool sleeps(struct task_struct *task)
{
	struct task_struct___old *old = (void *)task;

	if (bpf_core_field_exists(old->state))
		return BPF_CORE_READ(old, state);
	return task->__state;
}

static __always_inline void edge_of_task(struct cpu *s, __u64 now, __u16 kind, struct task_struct *task)
{
	struct edge *edge = next_edge(s, now, kind);

	if (edge)
		copy_task_of(&edge->task, task);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct cpu *s = this_cpu();
	struct window *w;
	__u64 now;

	if (!s || (!waits(s) && !s->open))
		return 0;
	w = &s->window;
	now = bpf_ktime_get_ns();
	if (!w->at.task.comm[0])
		copy_task_of(&w->at.task, prev);
	if (waits(s))
		edge_of_task(s, now, EDGE_SWITCH, next);
	if (s->open && w->waiter == WAITER_THREAD && prev->pid == w->thread_pid) {
		if (sleeps(prev) || now - w->served_ns > THREAD_NS)
			finish(s, now);
	} else if (s->thread_ns && next->pid == s->thread_pid) {
		if (!serve(s, now, WAITER_THREAD) && !s->raised_ns)
			forget(s);
		s->thread_ns = 0;
	}
	return 0;
}

/* The threads that do network work: polling ones, and those that serve softirqs. */
static __always_inline bool polls(struct task_struct *task)
{
	return task->comm[0] == 'n' && task->comm[1] == 'a' && task->comm[2] == 'p' &&
	       task->comm[3] == 'i' && task->comm[4] == '/';
}

static __always_inline bool serves_softirqs(struct task_struct *task)
{
	return task->comm[0] == 'k' && task->comm[1] == 's' && task->comm[2] == 'o' &&
	       task->comm[3] == 'f' && task->comm[4] == 't';
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(sched_wakeup, struct task_struct *task)
{
	struct cpu *s;
	__u64 now;

	if (!(task->flags & PF_KTHREAD) || (!polls(task) && !serves_softirqs(task)))
		return 0;
	s = cpu_of(task->wake_cpu);
	if (!s || s->open)
		return 0;
	now = bpf_ktime_get_ns();
	if (polls(task) && !s->thread_ns) {
		s->thread_pid = task->pid;
		s->thread_ns = now;
		if (!s->raised_ns) {
			begin(s, now);
			if (task->wake_cpu != bpf_get_smp_processor_id()) {
				__builtin_memset(&s->window.at, 0, sizeof(s->window.at));
				s->window.at.vector = s->window.at.irq = -1;
			}
		}
	}
	if (waits(s))
		edge_of_task(s, now, EDGE_WAKE, task);
	return 0;
}

/* What is known to have kept interrupts off this CPU. */
static __always_inline void block(struct cpu *s, __u64 from, __u64 till, __u64 function, __u32 flags)
{
	struct window *w = &s->window;

	if (s->open)
		return;
	if (w->flags & WINDOW_BLOCKED && till - w->blocked_till_ns < RECENT_NS && w->blocked_from_ns < from)
		return; /* other evidence of the same, less of it */
	w->blocked_from_ns = from;
	w->blocked_till_ns = till;
	w->blocked_function = function;
	w->blocked_handler[0] = 0;
	w->flags = WINDOW_BLOCKED | flags;
	if (!waits(s)) {
		s->start_ns = from;
		s->samples = 0;
	} else if (!s->samples && from < s->start_ns) {
		s->start_ns = from;
	}
}

SEC("tp_btf/irq_handler_entry")
int BPF_PROG(irq_handler_entry, int irq, struct irqaction *action)
{
	struct cpu *s = this_cpu();
	struct edge *edge;

	if (!s)
		return 0;
	s->irq = irq;
	s->action = (__u64)action;
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
int BPF_PROG(irq_handler_exit, int irq)
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
		edge->irq = irq;
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
int BPF_PROG(timer_expire_entry, struct timer_list *timer)
{
	struct cpu *s = this_cpu();

	if (s)
		timer_starts(s, bpf_ktime_get_ns(), (__u64)timer->function);
	return 0;
}

SEC("tp_btf/timer_expire_exit")
int BPF_PROG(timer_expire_exit, struct timer_list *timer)
{
	struct cpu *s = this_cpu();

	if (s)
		timer_ends(s);
	return 0;
}

/* Packets may wait because those before them take long: look at those that come now. */
static __always_inline void watch(struct cpu *s, __u64 now)
{
	if (s->open || !s->served_ns || now - s->busy_ns < watch_ns)
		return;
	s->start_ns = s->busy_ns;
	s->open = 1;
	s->packets = 0;
	s->drained = 0;
	s->known = 0;
	s->window.waiter = WAITER_PACKETS;
	s->window.served_ns = s->busy_ns;
	s->window.raised_ns = 0;
	s->window.late = 0;
	s->window.edges = s->window.edges_lost = 0;
	copy_state(&s->window.at, s);
}

static __always_inline void tick(void *ctx, struct cpu *s, __u64 now, __u64 late_ns)
{
	watch(s, now);
	if (!late_ns && (!(waits(s) || s->open) || now - s->start_ns < watch_ns)) {
		s->ticked = read_near(s, &s->stolen_ns, sizeof(s->stolen_ns), stolen_offset);
		return;
	}
	s->window.ticks++;
	s->samples++;
	send_sample(ctx, s, now, late_ns);
}

SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(hrtimer_expire_entry, struct hrtimer *timer)
{
	__u64 function = (__u64)timer->function, expires, late_ns = 0, now = bpf_ktime_get_ns();
	struct cpu *s = this_cpu();

	if (!s)
		return 0;
	if (timer->is_soft) {
		timer_starts(s, now, function);
		return 0;
	}
	s->hard = function;
	s->hard_ns = now;
	expires = timer->node.expires;
	if (tick_function && function != tick_function)
		return 0; /* programs may ask for timers in the past */
	if (timer->base->clockid == 1 /* CLOCK_MONOTONIC */ && now > expires && now - expires >= watch_ns) {
		late_ns = now - expires;
		block(s, expires, now, function, WINDOW_LATE);
	}
	tick(ctx, s, now, late_ns);
	return 0;
}

SEC("tp_btf/hrtimer_expire_exit")
int BPF_PROG(hrtimer_expire_exit, struct hrtimer *timer)
{
	struct cpu *s = this_cpu();
	__u64 now;

	if (!s)
		return 0;
	if (timer->is_soft) {
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

/* Not tp_btf: there the address would be a pointer, and no number. */
SEC("raw_tp/netif_rx")
int netif_rx(struct bpf_raw_tracepoint_args *ctx)
{
	stamp(ctx->args[0]);
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(netif_receive_skb, struct sk_buff *skb)
{
	struct cpu *s = this_cpu();
	__u64 queued, now;

	if (!s)
		return 0;
	queued = came(s, skb);
	/* No tick interrupts a softirq that interrupted an idle CPU: packets have to tell. */
	if (!s->open && s->served_ns && queued > s->served_ns) {
		now = bpf_ktime_get_ns();
		if (now - queued >= watch_ns)
			watch(s, now);
	}
	if (s->open && !s->drained)
		receive(s, skb, queued);
	if (echoes)
		echo(s, skb, queued);
	return 0;
}
