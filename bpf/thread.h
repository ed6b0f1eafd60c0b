/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Threads that do network work, and who has the CPU instead. */
#ifndef DROPWATCH_THREAD_H
#define DROPWATCH_THREAD_H

#include "softirq.h"

/* A thread that does not sleep for so long has handled what had waited, and more. */
#define THREAD_NS 100000000

/* Waits for a lock that does not sleep without PREEMPT_RT; include/linux/sched.h, 5.15+. */
#define TASK_RTLOCK_WAIT 0x1000

/* Whether a task that is switched from waits for something, or has more to do. */
static __always_inline bool sleeps(struct task_struct *task)
{
	struct task_struct___old *old = (void *)task;
	unsigned int state;

	if (bpf_core_field_exists(old->state))
		return BPF_CORE_READ(old, state);
	state = BPF_CORE_READ(task, __state);
	return state && state != TASK_RTLOCK_WAIT;
}

/*
 * Whether the polling thread is switched from before it sleeps: it has to wait for its
 * next turn, of which nobody wakes it. If it is not bound to this CPU, that may be on
 * another one.
 */
static __always_inline bool is_preempted(struct cpu *s, __u32 pid)
{
	struct task_struct *task;

	if (!s->thread_pid || pid != s->thread_pid || s->thread_ns || s->open)
		return false;
	task = (void *)bpf_get_current_task();
	return BPF_CORE_READ(task, flags) & PF_KTHREAD && BPF_CORE_READ(task, nr_cpus_allowed) == 1 && !sleeps(task);
}

/* next is a task, or the record that tells its pid. */
static __always_inline void edge_of_switch(struct cpu *s, __u64 now, void *next, __u32 next_pid)
{
	struct edge *edge = next_edge(s, now, EDGE_SWITCH);

	if (!edge)
		return;
	if (given != GIVEN_RECORD) {
		copy_task(DIRECT, &edge->task, next);
		return;
	}
	__builtin_memset(&edge->task, 0, sizeof(edge->task));
	edge->task.pid = next_pid;
	s->switched = s->window.edges;
}

/* The task that is switched from still is the running one. */
SEC("tp_btf/sched_switch")
int sched_switch(void *ctx)
{
	struct trace_event_raw_sched_switch *record = ctx;
	struct cpu *s = this_cpu();
	struct task_struct *next = NULL;
	__u32 prev_pid, next_pid;
	struct window *w;
	bool preempted;
	__u64 now;

	if (!s || (!waits(s) && !s->open && !s->thread_pid))
		return 0;
	prev_pid = bpf_get_current_pid_tgid();
	preempted = is_preempted(s, prev_pid);
	if (!preempted && !waits(s) && !s->open)
		return 0;
	w = &s->window;
	now = bpf_ktime_get_ns();
	if (preempted) {
		s->thread_ns = now;
		if (!s->raised_ns)
			begin(s, now);
	}
	complete_switch(s);
	if (!w->at.task.comm[0])
		copy_current(&w->at.task);
	if (given == GIVEN_RECORD) {
		next_pid = record->next_pid;
	} else {
		next = ((struct task_struct **)ctx)[2];
		next_pid = READ(DIRECT, next, pid);
	}
	if (waits(s))
		edge_of_switch(s, now, next, next_pid);
	if (s->open && w->waiter == WAITER_THREAD && prev_pid == w->thread_pid) {
		if (sleeps((void *)bpf_get_current_task()) || now - w->served_ns > THREAD_NS)
			finish(s, now);
	} else if (s->thread_ns && next_pid == s->thread_pid) {
		if (!serve(s, now, WAITER_THREAD) && !s->raised_ns)
			forget(s);
		s->thread_ns = 0;
	}
	return 0;
}

/* A thread of the kernel that wakes up. */
struct waking {
	struct task_struct *task; /* NULL: a record tells all there is to know */
	char comm[16];
	__u32 pid;
	__u32 cpu;
	__s16 prio;
};

/*
 * The threads that do network work: polling ones, and those that serve softirqs. A CPU's
 * backlog has a polling one (backlog_napi/1) where PREEMPT_RT or thread_backlog_napi asks
 * for it (net/core/dev.c, 6.10+).
 */
static __always_inline bool polls(const char *comm)
{
	if (comm[0] == 'b' && comm[1] == 'a' && comm[2] == 'c' && comm[3] == 'k' && comm[4] == 'l' && comm[5] == 'o' &&
	    comm[6] == 'g' && comm[7] == '_')
		comm += 8;
	return comm[0] == 'n' && comm[1] == 'a' && comm[2] == 'p' && comm[3] == 'i' && comm[4] == '/';
}

static __always_inline bool serves_softirqs(const char *comm)
{
	return comm[0] == 'k' && comm[1] == 's' && comm[2] == 'o' && comm[3] == 'f' && comm[4] == 't';
}

static __always_inline bool works(const char *comm)
{
	return polls(comm) || serves_softirqs(comm);
}

/* True if the thread does network work. A record does not tell threads from processes, which may call themselves napi/. */
static __always_inline bool who_wakes(struct waking *who, void *ctx)
{
	struct trace_event_raw_sched_wakeup_template *record = ctx;
	struct task_struct *task;

	if (given == GIVEN_RECORD) {
		bpf_core_read(who->comm, sizeof(who->comm), &record->comm);
		who->task = NULL;
		who->pid = record->pid;
		who->cpu = record->target_cpu;
		who->prio = record->prio;
		return serves_softirqs(who->comm);
	}
	task = *(struct task_struct **)ctx;
	if (!(READ(DIRECT, task, flags) & PF_KTHREAD))
		return false;
	if (DIRECT && !works(task->comm)) /* most do not: a helper would cost all of them */
		return false;
	BPF_CORE_READ_INTO(&who->comm, task, comm);
	if (!works(who->comm))
		return false;
	who->task = task;
	who->pid = READ(DIRECT, task, pid);
	who->cpu = READ(DIRECT, task, wake_cpu);
	return true;
}

static __always_inline void edge_of_wake(struct cpu *s, __u64 now, struct waking *who)
{
	struct edge *edge = next_edge(s, now, EDGE_WAKE);

	if (!edge)
		return;
	if (given != GIVEN_RECORD) {
		copy_task(DIRECT, &edge->task, who->task);
		return;
	}
	__builtin_memset(&edge->task, 0, sizeof(edge->task));
	__builtin_memcpy(edge->task.comm, who->comm, sizeof(who->comm));
	edge->task.pid = edge->task.tgid = who->pid;
	edge->task.prio = who->prio;
	edge->task.flags = TASK_KTHREAD;
}

SEC("tp_btf/sched_wakeup")
int sched_wakeup(void *ctx)
{
	struct waking who;
	struct cpu *s;
	__u64 now;

	if (!who_wakes(&who, ctx))
		return 0;
	s = cpu_of(who.cpu);
	if (!s || s->open)
		return 0;
	now = bpf_ktime_get_ns();
	if (polls(who.comm) && !s->thread_ns) {
		s->thread_pid = who.pid;
		s->thread_ns = now;
		if (!s->raised_ns) {
			begin(s, now);
			if (who.cpu != bpf_get_smp_processor_id()) {
				__builtin_memset(&s->window.at, 0, sizeof(s->window.at));
				s->window.at.vector = s->window.at.irq = -1;
			}
		}
	}
	if (waits(s))
		edge_of_wake(s, now, &who);
	return 0;
}

#endif
