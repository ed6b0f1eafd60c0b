/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Threads that do network work, and who has the CPU instead. */
#ifndef DROPWATCH_THREAD_H
#define DROPWATCH_THREAD_H

#include "softirq.h"

/* A thread that does not sleep for so long has handled what had waited, and more. */
#define THREAD_NS 100000000

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

#endif
