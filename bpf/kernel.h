/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's types as far as dropwatch reads them, and every difference
 * between kernels. CO-RE relocates the fields against the running kernel's BTF.
 */
#ifndef DROPWATCH_KERNEL_H
#define DROPWATCH_KERNEL_H

#include <stdbool.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct ns_common {
	unsigned int inum;
};

struct net_device;

struct net {
	struct ns_common ns;
	struct hlist_head *dev_index_head;
	struct net_device *loopback_dev;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	char name[16];
	int ifindex;
	possible_net_t nd_net;
	struct hlist_node index_hlist;
};

struct sock_common {
	unsigned short skc_family;
	possible_net_t skc_net;
};

struct sock {
	struct sock_common __sk_common;
};

struct dst_entry {
	struct net_device *dev;
};

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned long _skb_refdst;
	unsigned int len;
	int skb_iif;
	__be16 vlan_proto;
	__u16 vlan_tci;
	__be16 protocol;
	__u8 pkt_type : 3;
	__u16 transport_header;
	__u16 network_header;
	__u16 mac_header;
	unsigned int tail;
	unsigned int end; /* of the head, from its start: NET_SKBUFF_DATA_USES_OFFSET, on 64 bits */
	unsigned char *head;
	unsigned char *data;
};

/* Up to 6.1 a bit says whether vlan_tci is set; 354259fa73e2 removed it. */
struct sk_buff___vlan_present {
	__u8 vlan_present : 1;
};

/* At the end of a packet's head. gso_segs follows gso_size (4.13 to 7.2). */
struct skb_shared_info {
	unsigned short gso_size;
	unsigned short gso_segs;
	unsigned int gso_type;
};

struct iphdr {
	__u8 protocol;
};

struct ipv6hdr {
	__u8 nexthdr;
};

struct rq {
	int cpu;
};

struct cfs_rq {
	struct rq *rq; /* with CONFIG_FAIR_GROUP_SCHED */
};

struct sched_entity {
	struct cfs_rq *cfs_rq;
};

struct qstr {
	const unsigned char *name;
};

struct super_block {
	unsigned long s_magic;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct super_block *d_sb;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	unsigned int flags;
	struct sched_entity se;
	int pid;
	int tgid;
	int prio;
	unsigned int policy;
	int on_cpu;
	int wake_cpu;
	int nr_cpus_allowed;
	char comm[16];
	struct files_struct *files;
	void *stack;
	unsigned int __state; /* long state before 5.14 (2f064a59a11f) */
};

struct task_struct___old {
	long state;
};

struct irqaction {
	const char *name;
};

struct timerqueue_node {
	__s64 expires;
};

struct hrtimer_clock_base {
	int clockid;
};

struct hrtimer {
	struct timerqueue_node node;
	void *function;
	struct hrtimer_clock_base *base;
	__u8 is_soft;
};

struct timer_list {
	void *function;
};

struct napi_struct {
	struct net_device *dev;
};

/* The registers of a task in user space, or at a kprobe; arm64 has them under other names. */
struct pt_regs___amd64 {
	unsigned long orig_ax, di, si, dx;
};

struct pt_regs___arm64 {
	__u64 regs[31];
	__s32 syscallno;
};

/* arm64 keeps preempt_count in the task. */
struct thread_info___arm64 {
	__u64 preempt_count;
};

struct task_struct___arm64 {
	struct thread_info___arm64 thread_info;
};

/*
 * PREEMPT_RT keeps the softirq bits of preempt_count in the task: softirq_count(),
 * include/linux/preempt.h.
 */
struct task_struct___rt {
	int softirq_disable_cnt;
};

#pragma clang attribute pop

/* Lets a program read memory at any address as a given type. Needs kernel 6.2+. */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

#define PF_KTHREAD	   0x00200000 /* include/linux/sched.h */
#define NETDEV_HASHENTRIES 256	      /* include/linux/netdevice.h */
#define SOFTIRQ_MASK	   0xff00     /* include/linux/preempt.h */
#define SKB_DST_PTRMASK	   (~7UL)     /* include/linux/skbuff.h; the low bits are flags */
#define HEADER_UNSET	   0xffff     /* skb_mac_header_was_set(), skb_transport_header_was_set() */
#define SKB_GSO_TCPV4	   (1 << 0)   /* include/linux/skbuff.h */
#define SKB_GSO_TCPV6	   (1 << 4)

/*
 * READ reads a field of a kernel struct. A tp_btf program may dereference typed
 * pointers itself, a raw_tp program has to ask a helper for each; direct is a
 * constant of the calling program, so one branch remains. A pointer that is bad
 * reads as zero both ways.
 */
#define READ(direct, ptr, field)                                                                   \
	({                                                                                         \
		typeof((ptr)->field) __value = 0;                                                  \
		if (direct)                                                                        \
			__value = (ptr)->field;                                                    \
		else                                                                               \
			bpf_core_read(&__value, sizeof(__value), &(ptr)->field);                   \
		__value;                                                                           \
	})

/* The bits of preempt_count that are not there, but in the running task. */
static __always_inline __u32 softirq_bits(void)
{
	struct task_struct___rt *rt = (void *)bpf_get_current_task();

	if (bpf_core_field_exists(rt->softirq_disable_cnt))
		return BPF_CORE_READ(rt, softirq_disable_cnt) & SOFTIRQ_MASK;
	return 0;
}

/* The first argument of the function that a kprobe is on. */
static __always_inline void *first_argument(void *ctx)
{
	struct pt_regs___amd64 *amd64 = ctx;
	struct pt_regs___arm64 *arm64 = ctx;

	if (bpf_core_field_exists(arm64->syscallno))
		return (void *)BPF_CORE_READ(arm64, regs[0]);
	return (void *)BPF_CORE_READ(amd64, di);
}

#endif
