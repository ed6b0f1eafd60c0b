/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A sample of a CPU: who runs, in which system call, on which file, with which stack. */
#ifndef DROPWATCH_SAMPLE_H
#define DROPWATCH_SAMPLE_H

#include "cpu.h"

/* Distances from a CPU's run queue to other per-CPU variables; 0: unknown on this kernel. */
const volatile __s64 preempt_count_offset = 0;
const volatile __s64 softirq_pending_offset = 0;
const volatile __s64 stolen_offset = 0;

/* Of a task's kernel stack: THREAD_SIZE, arch/{x86,arm64}/include/asm. */
const volatile __u32 stack_bytes = 16384;

/*
 * Bytes behind the saved registers: TOP_OF_KERNEL_STACK_PADDING,
 * arch/x86/include/asm/thread_info.h.
 */
const volatile __u32 stack_padding = 0;

#define MAX_DEPTH 24  /* names in a path */
#define NAME_LEN  256 /* NAME_MAX and its zero */

/*
 * This CPU's run queue, a per-CPU variable: others lie at fixed distances. The
 * running task's queue is this CPU's; looked up once.
 */
static __always_inline void *queue_of(struct cpu *s)
{
	struct task_struct *task;
	struct rq *rq;

	if (s->queue || !bpf_core_field_exists(struct cfs_rq, rq))
		return (void *)s->queue;
	task = (void *)bpf_get_current_task();
	rq = BPF_CORE_READ(task, se.cfs_rq, rq);
	if (rq && BPF_CORE_READ(rq, cpu) == bpf_get_smp_processor_id())
		s->queue = (__u64)rq;
	return (void *)s->queue;
}

/* Reads a per-CPU variable at a distance from the run queue. */
static __always_inline bool read_near(struct cpu *s, void *to, __u32 size, __s64 offset)
{
	void *queue = queue_of(s);

	return queue && offset && !bpf_probe_read_kernel(to, size, queue + offset);
}

static __always_inline bool read_preempt_count(struct cpu *s, __u32 *count)
{
	struct task_struct___arm64 *arm = (void *)bpf_get_current_task();

	if (bpf_core_field_exists(arm->thread_info.preempt_count)) {
		*count = BPF_CORE_READ(arm, thread_info.preempt_count);
	} else if (!read_near(s, count, sizeof(*count), preempt_count_offset)) {
		return false;
	}
	*count |= softirq_bits();
	return true;
}

/*
 * Copies the names that lead to a file, from the file up, each with its zero. Mounts are
 * crossed as far as the task's own root mount. The length is read back from the record:
 * verifiers up to 5.14 get to the end if they know nothing of it.
 */
static __always_inline void copy_path(struct cpu_sample *rec, struct file *file)
{
	struct vfsmount *vfsmount = BPF_CORE_READ(file, f_path.mnt);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
	struct dentry *parent;
	struct mount *up;
	__u32 length;
	long copied;
	int i;

	for (i = 0; i < MAX_DEPTH; i++) {
		length = *(volatile __u32 *)&rec->path_len;
		if (length >= PATH_LEN - NAME_LEN)
			break;
		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
			up = BPF_CORE_READ(mount, mnt_parent);
			if (up == mount)
				break;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = up;
			continue;
		}
		parent = BPF_CORE_READ(dentry, d_parent);
		if (parent == dentry)
			break;
		copied = bpf_probe_read_kernel_str(rec->path + (length & (PATH_LEN - NAME_LEN - 1)),
						   NAME_LEN, BPF_CORE_READ(dentry, d_name.name));
		if (copied <= 0)
			break;
		rec->path_len = length + copied;
		dentry = parent;
	}
}

static __always_inline void copy_file(struct cpu_sample *rec, struct task_struct *task)
{
	struct files_struct *files = BPF_CORE_READ(task, files);
	struct fdtable *table;
	struct file *file = NULL;

	if (!files)
		return;
	table = BPF_CORE_READ(files, fdt);
	if (rec->args[0] >= BPF_CORE_READ(table, max_fds))
		return;
	bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + rec->args[0]);
	if (!file)
		return;
	rec->magic = BPF_CORE_READ(file, f_path.dentry, d_sb, s_magic);
	copy_path(rec, file);
}

/* Needs kernel 5.15+. */
#define HAS_TASK_REGS bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)

/* The registers that a task saved when it entered the kernel: at the end of its stack. */
static __always_inline void *saved_registers(struct task_struct *task)
{
	if (typed && HAS_TASK_REGS)
		return (void *)bpf_task_pt_regs(task);
	return BPF_CORE_READ(task, stack) + stack_bytes - stack_padding -
	       bpf_core_type_size(struct pt_regs___amd64);
}

/* The system call that the task is in, if any: user space decides by the stack. */
static __always_inline void copy_syscall(struct cpu_sample *rec, struct task_struct *task)
{
	struct pt_regs___amd64 *amd64;
	struct pt_regs___arm64 *arm64;

	if (rec->at.task.flags & TASK_KTHREAD)
		return;
	amd64 = saved_registers(task);
	arm64 = (void *)amd64;
	if (bpf_core_field_exists(arm64->syscallno)) {
		rec->syscall = BPF_CORE_READ(arm64, syscallno);
		rec->args[0] = BPF_CORE_READ(arm64, regs[0]);
		rec->args[1] = BPF_CORE_READ(arm64, regs[1]);
		rec->args[2] = BPF_CORE_READ(arm64, regs[2]);
	} else {
		rec->syscall = BPF_CORE_READ(amd64, orig_ax);
		rec->args[0] = BPF_CORE_READ(amd64, di);
		rec->args[1] = BPF_CORE_READ(amd64, si);
		rec->args[2] = BPF_CORE_READ(amd64, dx);
	}
	rec->flags |= SAMPLE_SYSCALL;
	copy_file(rec, task);
}

static __always_inline void copy_counts(struct cpu_sample *rec, struct cpu *s)
{
	if (read_preempt_count(s, &rec->preempt_count))
		rec->flags |= SAMPLE_PREEMPT_COUNT;
	/* Of two bytes on x86 since 6.15, of four elsewhere; there are ten vectors. */
	if (read_near(s, &rec->pending, sizeof(__u16), softirq_pending_offset))
		rec->flags |= SAMPLE_PENDING;
}

/* Sends a sample of this CPU. late_ns is how late the timer was that takes it. */
static __always_inline void send_sample(void *ctx, struct cpu *s, __u64 now, __u64 late_ns)
{
	struct task_struct *task = current_task();
	struct cpu_sample *rec = bpf_ringbuf_reserve(&stalls, sizeof(*rec), 0);

	if (!rec) {
		count_submit(s, 1);
		return;
	}
	fill_header(&rec->head, STALL_SAMPLE, now, s->start_ns);
	copy_state(&rec->at, s);
	rec->cgroup_id = bpf_get_current_cgroup_id();
	rec->late_ns = late_ns;
	rec->flags = late_ns ? SAMPLE_LATE : 0;
	rec->preempt_count = rec->pending = rec->magic = rec->path_len = rec->pad = 0;
	rec->syscall = -1;
	rec->args[0] = rec->args[1] = rec->args[2] = 0;
	copy_counts(rec, s);
	copy_syscall(rec, task);
	rec->stack_len = bpf_get_stack(ctx, rec->stack, sizeof(rec->stack), 0);
	rec->user_len = 0;
	if (!(rec->at.task.flags & TASK_KTHREAD))
		rec->user_len = bpf_get_stack(ctx, rec->user, sizeof(rec->user), BPF_F_USER_STACK);
	if (rec->stack_len <= 0)
		__sync_fetch_and_add(&s->stack_failed, 1);
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
	count_submit(s, 0);
}

#endif
