/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Threads that do network work, and who has the CPU instead. */
#ifndef DROPWATCH_THREAD_H
#define DROPWATCH_THREAD_H

#include "late.h"

/* A thread that does not sleep for so long has handled what had waited, and more. */
#define THREAD_NS 100000000

/* Waits for a lock that does not sleep without PREEMPT_RT; include/linux/sched.h, 5.15+. */
#define TASK_RTLOCK_WAIT 0x1000

#define TASK_DEAD 0x80 /* include/linux/sched.h: the last time that it is switched from */

/* The state of a task: 0 if it runs, or wants to. */
static __always_inline unsigned int state_of(struct task_struct *task)
{
	struct task_struct___old *old = (void *)task;

	if (bpf_core_field_exists(old->state))
		return BPF_CORE_READ(old, state);
	return BPF_CORE_READ(task, __state);
}

static __always_inline bool is_dead(struct task_struct *task)
{
	return state_of(task) & TASK_DEAD;
}

/* Whether a task that is switched from waits for something, or has more to do. */
static __always_inline bool sleeps(struct task_struct *task)
{
	unsigned int state = state_of(task);

	return state && state != TASK_RTLOCK_WAIT;
}

/* NAPI threads that are followed at the same time. */
#define MAX_THREADS 4096

/* A NAPI thread. It may wait for one CPU after another. */
struct thread {
	/* When its wait for a turn began, or what kept it from being woken; 0: it does not wait. */
	__u64 since_ns;
	__u64 woken_ns;	  /* when it began to wait */
	__u64 came_ns;	  /* when it began to wait on this CPU */
	__u64 longest_ns; /* that it waited on another CPU */
	__u32 longest_cpu;
	__u32 cpu;    /* on which it waits */
	__u32 resets; /* of that CPU, when it began to wait there */
	__u32 pad;
};

/* Key: pid of a NAPI thread. Value: its wait, from when it is first seen until it ends. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_THREADS);
	__type(key, __u32);
	__type(value, struct thread);
} threads SEC(".maps");

/* Whether a thread was ever seen: most machines have none. */
bool threaded;

static __always_inline struct thread *thread_of(__u32 pid)
{
	return bpf_map_lookup_elem(&threads, &pid);
}

static __always_inline struct thread *add_thread(__u32 pid)
{
	struct thread *t = thread_of(pid), new = {};

	if (t)
		return t;
	threaded = true;
	bpf_map_update_elem(&threads, &pid, &new, BPF_ANY);
	return thread_of(pid);
}

/* Needs CONFIG_SMP: else whoever wakes a thread has the only CPU. */
static __always_inline bool has_cpu(struct task_struct *task)
{
	return bpf_core_field_exists(task->on_cpu) && BPF_CORE_READ(task, on_cpu);
}

/*
 * Whether the thread that came last to wait on this CPU still does: programs may be kept
 * from seeing its turn, or that it moved.
 */
static __always_inline bool still_waits(struct cpu *s)
{
	struct task_struct *task = (void *)s->waiting;

	if (!task)
		return true;
	return BPF_CORE_READ(task, pid) == s->waiting_pid &&
	       BPF_CORE_READ(task, wake_cpu) == bpf_get_smp_processor_id() && !has_cpu(task) &&
	       !sleeps(task);
}

/* No thread waits on this CPU after all. */
static __always_inline void reset_threads(struct cpu *s)
{
	s->resets++;
	s->threads = 0;
	s->waiting = 0;
	if (!s->raised_ns && !s->open)
		forget(s);
}

/* A thread has to wait for this CPU from now on. */
static __always_inline void join_queue(struct cpu *s, __u32 cpu, __u64 now,
				       struct task_struct *task, __u32 pid, struct thread *t)
{
	if (!waits(s) && !s->open) {
		begin(s, now);
		if (cpu != bpf_get_smp_processor_id()) {
			__builtin_memset(&s->window.at, 0, sizeof(s->window.at));
			s->window.at.vector = s->window.at.irq = -1;
		}
	}
	t->cpu = cpu;
	t->came_ns = now;
	t->resets = s->resets;
	s->waiting = (__u64)task;
	s->waiting_pid = pid;
	__sync_fetch_and_add(&s->threads, 1);
}

/* It does not any more. */
static __always_inline void leave_queue(struct cpu *s, __u32 pid, struct thread *t)
{
	if (s->waiting_pid == pid)
		s->waiting = 0;
	if (s->threads && s->resets == t->resets)
		__sync_fetch_and_add(&s->threads, -1);
	if (!waits(s) && !s->open)
		forget(s);
}

static __always_inline void begin_wait(struct cpu *s, __u32 cpu, __u64 now,
				       struct task_struct *task, __u32 pid, struct thread *t)
{
	struct cpu *old;

	if (t->since_ns) { /* it had its turn unseen, or was about to sleep when another task had */
		old = cpu_of(t->cpu);
		if (old)
			leave_queue(old, pid, t);
	}
	t->longest_ns = 0;
	t->since_ns = kept_since(s, now);
	t->woken_ns = now;
	join_queue(s, cpu, now, task, pid, t);
}

/* Tells what a CPU did while a thread waited on it that moves to another one. */
static __noinline int send_moved(struct cpu *s, struct thread *t, __u32 pid, __u64 now)
{
	struct window *w;
	__u64 stolen = 0;

	if (!s || !t || s->open)
		return 0;
	w = &s->window;
	fill_header(&w->head, STALL_WINDOW, now, s->start_ns);
	w->head.cpu = t->cpu;
	w->waiter = WAITER_THREAD;
	w->served_ns = now;
	w->raised_ns = t->came_ns;
	w->woken_ns = t->woken_ns;
	w->thread_pid = pid;
	w->waited_cpu = t->cpu;
	w->longest_ns = w->longest_till_ns = w->late = w->packets = 0;
	w->runs = w->polls = w->full = w->squeezed = 0;
	w->flags |= WINDOW_MOVED;
	if (s->ticked && read_near(s, &stolen, sizeof(stolen), stolen_offset)) {
		w->stolen_ns = stolen - s->stolen_ns;
		w->flags |= WINDOW_STOLEN;
	}
	count_submit(s, bpf_ringbuf_output(&stalls, w, sizeof(*w), BPF_RB_FORCE_WAKEUP));
	w->flags &= ~(WINDOW_MOVED | WINDOW_STOLEN);
	return 0;
}

/* A thread that waits is given to another CPU, by whichever. */
SEC("tp_btf/sched_migrate_task")
int sched_migrate_task(void *ctx)
{
	struct task_struct *task;
	struct cpu *from, *to;
	struct thread *t;
	__u32 pid, cpu;
	__u64 now;

	if (given == GIVEN_RECORD || !threaded)
		return 0;
	task = *(struct task_struct **)ctx;
	if (!(READ(DIRECT, task, flags) & PF_KTHREAD))
		return 0;
	pid = READ(DIRECT, task, pid);
	t = thread_of(pid);
	if (!t || !t->since_ns)
		return 0;
	cpu = ((__u64 *)ctx)[1];
	from = cpu_of(t->cpu);
	to = cpu_of(cpu);
	if (!from || !to || from == to)
		return 0;
	now = bpf_ktime_get_ns();
	if (now - t->came_ns >= watch_ns)
		send_moved(from, t, pid, now);
	if (now - t->came_ns > t->longest_ns) {
		t->longest_ns = now - t->came_ns;
		t->longest_cpu = t->cpu;
	}
	leave_queue(from, pid, t);
	join_queue(to, cpu, now, task, pid, t);
	return 0;
}

/* A thread that waited has its turn. */
static __always_inline void end_wait(struct cpu *s, __u64 now, __u32 pid, struct thread *t)
{
	struct window *w = &s->window;
	__u64 since = t->since_ns;

	t->since_ns = 0;
	if (s->resets != t->resets)
		return;
	if (serve(s, now, since, WAITER_THREAD)) {
		w->thread_pid = pid;
		w->raised_ns = t->came_ns;
		w->woken_ns = t->woken_ns;
		w->waited_cpu = t->longest_ns > now - t->came_ns ? t->longest_cpu : t->cpu;
	}
	leave_queue(s, pid, t);
}

/*
 * The polling thread is switched from. True if it sleeps. Else it has to wait for its next
 * turn, of which nobody wakes it.
 */
static __always_inline bool end_turn(struct cpu *s, __u64 now, __u32 pid, bool preempted)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct thread *t = thread_of(pid);

	s->thread_pid = 0;
	if (!preempted && sleeps(task)) {
		if (is_dead(task))
			bpf_map_delete_elem(&threads, &pid);
		return true;
	}
	if (t)
		begin_wait(s, bpf_get_smp_processor_id(), now, task, pid, t);
	return false;
}

/* Whether the window of a thread is open that has had its time, or may go on elsewhere. */
static __always_inline bool outlived(struct cpu *s, __u64 now)
{
	struct window *w = &s->window;

	return s->open && w->waiter == WAITER_THREAD && w->thread_pid != s->thread_pid &&
	       now - w->served_ns > THREAD_NS;
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
	bool polled, asleep = false, bound;
	struct task_struct *next = NULL;
	struct cpu *s = this_cpu();
	__u32 prev_pid, next_pid;
	struct thread *t;
	struct window *w;
	__u64 now;

	if (!s || (!waits(s) && !s->open && !s->thread_pid))
		return 0;
	prev_pid = bpf_get_current_pid_tgid();
	polled = prev_pid == s->thread_pid;
	if (!polled && !waits(s) && !s->open) {
		s->thread_pid = 0; /* its last turn ended unseen */
		return 0;
	}
	w = &s->window;
	now = bpf_ktime_get_ns();
	complete_switch(s);
	if (given != GIVEN_RECORD && s->thread_pid) {
		if (polled)
			asleep = end_turn(s, now, prev_pid, ((__u64 *)ctx)[0]);
		s->thread_pid = 0;
	}
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
	if (given == GIVEN_RECORD)
		return 0;
	if (polled && s->open && w->waiter == WAITER_THREAD && prev_pid == w->thread_pid) {
		bound = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(),
				      nr_cpus_allowed) == 1;
		if (asleep || !bound || now - w->served_ns > THREAD_NS)
			finish(s, now, asleep ? 0 : WINDOW_CUT);
	}
	if (!s->threads)
		return 0;
	if (!next_pid && (!s->waiting || !still_waits(s))) {
		reset_threads(s); /* an idle CPU has none */
		return 0;
	}
	t = thread_of(next_pid);
	if (!t)
		return 0;
	s->thread_pid = next_pid;
	if (t->since_ns)
		end_wait(s, now, next_pid, t);
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
	if (comm[0] == 'b' && comm[1] == 'a' && comm[2] == 'c' && comm[3] == 'k' &&
	    comm[4] == 'l' && comm[5] == 'o' && comm[6] == 'g' && comm[7] == '_')
		comm += 8;
	return comm[0] == 'n' && comm[1] == 'a' && comm[2] == 'p' && comm[3] == 'i' &&
	       comm[4] == '/';
}

static __always_inline bool serves_softirqs(const char *comm)
{
	return comm[0] == 'k' && comm[1] == 's' && comm[2] == 'o' && comm[3] == 'f' &&
	       comm[4] == 't';
}

static __always_inline bool works(const char *comm)
{
	return polls(comm) || serves_softirqs(comm);
}

/*
 * True if the thread does network work. A record does not tell threads from processes, which may
 * call themselves napi/.
 */
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
	struct thread *t = NULL;
	struct waking who;
	struct cpu *s;
	__u64 now;

	if (!who_wakes(&who, ctx))
		return 0;
	/* One that was about to sleep goes on instead (ttwu_runnable, kernel/sched/core.c). */
	if (given != GIVEN_RECORD && has_cpu(who.task))
		return 0;
	s = cpu_of(who.cpu);
	if (!s)
		return 0;
	now = bpf_ktime_get_ns();
	if (polls(who.comm)) {
		t = add_thread(who.pid);
		if (t)
			begin_wait(s, who.cpu, now, who.task, who.pid, t);
	}
	if (waits(s))
		edge_of_wake(s, now, &who);
	return 0;
}

/* A thread that polls is followed, if nobody saw it being woken. */
static __always_inline void find_thread(struct cpu *s)
{
	struct task_struct *task = current_task();
	char comm[16] = {};
	__u32 pid;

	if (given == GIVEN_RECORD || !(BPF_CORE_READ(task, flags) & PF_KTHREAD))
		return;
	BPF_CORE_READ_INTO(&comm, task, comm);
	pid = BPF_CORE_READ(task, pid);
	if (polls(comm) && add_thread(pid))
		s->thread_pid = pid;
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
	if (!s->vector && !s->thread_pid)
		find_thread(s);
	w = &s->window;
	if (!s->vector != (s->open && w->waiter == WAITER_THREAD && w->thread_pid == s->thread_pid))
		return 0; /* of other work than the window's */
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
