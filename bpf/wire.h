/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel side and the Go side say to each other. This is the only
 * definition: bpf2go generates the Go structs from it, and padding is explicit.
 */
#ifndef DROPWATCH_WIRE_H
#define DROPWATCH_WIRE_H

#include <linux/types.h>

enum {
	MAX_FRAMES = 127,     /* the kernel's default for kernel.perf_event_max_stack */
	COMM_LEN = 16,        /* TASK_COMM_LEN */
	DEVICE_LEN = 16,      /* IFNAMSIZ */
	WINDOW_SHIFT = 30,    /* the budget of samples is kept over 2^30 ns */
};

/* What every drop is counted by. Zero means unknown in every field. */
struct cell_key {
	__u64 location;       /* code address that freed the skb */
	__u32 reason;         /* enum skb_drop_reason, or subsystem << 16 | code */
	__u32 ifindex;
	__u32 netns;          /* inode number of the network namespace */
	__u16 ethertype;      /* host byte order */
	__u8 l4;              /* IP protocol number behind IPv6 extension headers */
	__u8 family;          /* address family of the socket, if ethertype is 0 */
};

enum cell_state {
	CELL_FREE = 0,
	CELL_CLAIMED = 1,
	CELL_IN_USE = 2,
};

/*
 * One counter of one CPU, and the schedule of its samples. Written by its CPU;
 * user space reads it, and may set left to 0. One cache line.
 */
struct cell {
	struct cell_key key;
	__u64 drops;
	__u64 bytes;
	enum cell_state state;
	__u32 left;           /* drops until the next sample; 0: sample the next drop, a new block */
	__u32 window_drops;   /* drops when the window began, wrapping */
	__u16 block;          /* drops the next sample stands for */
	__u16 rest;           /* drops of that block that follow its sample */
	__u16 window;         /* time >> WINDOW_SHIFT, wrapping */
	__u16 window_start;   /* time >> WINDOW_SHIFT - 16 of its first sample, wrapping */
	__u16 window_samples; /* samples in this window, saturating */
	__u16 pad;
};

/* What became of the samples, per CPU. One cache line. */
struct cpu_stats {
	__u64 submitted;      /* records put into the ring buffer */
	__u64 ring_full;      /* records the ring buffer had no room for */
	__u64 stack_failed;   /* records submitted without a stack */
	__u64 pad[5];
};

enum record_flag {
	RECORD_PREEMPT_COUNT = 1, /* preempt_count is valid */
	RECORD_OVERFLOW = 2,      /* counted in the overflow cell, the table was full */
	RECORD_L2 = 4,            /* packet[] starts at the link-layer header */
	RECORD_VLAN = 8,          /* vlan_tci is valid */
	RECORD_KTHREAD = 16,      /* the interrupted task is a kernel thread */
};

/* One sampled drop, followed by packet bytes. */
struct record {
	struct cell_key key;
	__u64 time_ns;        /* CLOCK_MONOTONIC, from bpf_ktime_get_ns */
	__u64 cgroup_id;      /* of the interrupted task, cgroup v2 */
	__u32 drops;          /* how many drops of its cell this sample stands for */
	__u32 cpu;
	__u32 len;            /* skb->len, bytes */
	__u32 pid;            /* of the interrupted task: thread, */
	__u32 tgid;           /* and process */
	__u32 preempt_count;
	__u16 flags;          /* enum record_flag */
	__u16 vlan_tci;
	__u16 packet_len;     /* valid bytes in packet[] */
	__u16 l3;             /* offset of the network header in packet[] */
	__s32 stack_len;      /* bytes in stack[], or a negative errno */
	__u32 pad;
	char comm[COMM_LEN];
	char device[DEVICE_LEN];
	__u64 stack[MAX_FRAMES];
	__u8 packet[];
};

#endif
