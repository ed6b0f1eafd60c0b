/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel side and the Go side say to each other. This is the only
 * definition: bpf2go generates the Go structs from it, and padding is explicit.
 */
#ifndef DROPWATCH_WIRE_H
#define DROPWATCH_WIRE_H

#include <linux/types.h>

enum {
	MAX_FRAMES = 127,  /* the kernel's default for kernel.perf_event_max_stack */
	COMM_LEN = 16,	   /* TASK_COMM_LEN */
	DEVICE_LEN = 16,   /* IFNAMSIZ */
	WINDOW_SHIFT = 30, /* the budget of samples is kept over 2^30 ns */
};

/* What every drop is counted by. Zero means unknown in every field. */
struct cell_key {
	__u64 location; /* code address that freed the skb */
	__u32 reason;	/* enum skb_drop_reason, or subsystem << 16 | code */
	__u32 ifindex;
	__u32 netns;	 /* inode number of the network namespace */
	__u16 ethertype; /* behind VLAN tags, host byte order; or OTHER_ETHERTYPE */
	__u8 l4;	 /* IP protocol number behind IPv6 extension headers; or OTHER_PROTOCOL */
	__u8 sort; /* if ethertype is 0 the address family of the socket, else enum packet_sort */
};

/*
 * Whoever sends chooses these numbers, and each would take a cell. Those that have a name
 * (pkg/event/protocol.go) are counted apart, the others together.
 */
enum {
	OTHER_ETHERTYPE = 0xffff, /* reserved (IEEE) */
	OTHER_PROTOCOL = 255,	  /* reserved (IANA) */
};

enum packet_sort {
	SORT_OTHER = 0,
	SORT_GROUP = 1, /* broadcast or multicast by its link-layer address, sent or looped back */
};

enum cell_state {
	CELL_FREE = 0,
	CELL_CLAIMED = 1,
	CELL_IN_USE = 2,
};

/* A location that no code has: no program finds a cell by it. */
enum cell_location {
	CELL_RETIRED = 1,
};

/*
 * One counter of one CPU. Written by its CPU; user space reads it and may set left to 0.
 * One that rests is freed by user space in two steps: it sets key.location to CELL_RETIRED and
 * waits an RCU grace period, after which no program counts in it; then it has read all
 * that was counted, clears it, and sets its state to CELL_FREE. One cache line.
 */
struct cell {
	struct cell_key key;
	__u64 drops;
	__u64 bytes;
	enum cell_state state;
	__u32 left;  /* drops until the next sample; 0: sample the next drop, a new block */
	__u32 check; /* of the key: check_of() */
	__u32 index; /* of its schedule */
	__u64 more;  /* segments beyond one a drop */
};

/* When a cell is sampled. Written by its CPU, at samples alone. */
struct schedule {
	__u32 window_drops;   /* drops when the window began, wrapping */
	__u16 block;	      /* drops the next sample stands for */
	__u16 rest;	      /* drops of that block that follow its sample */
	__u16 window;	      /* time >> WINDOW_SHIFT, wrapping */
	__u16 window_start;   /* time >> WINDOW_SHIFT - 16 of its first sample, wrapping */
	__u16 window_samples; /* samples in this window, saturating */
	__u16 pad;
};

/* What became of the samples, per CPU, and how many there may be. One cache line. */
struct cpu_stats {
	__u64 submitted;      /* records put into the ring buffer */
	__u64 ring_full;      /* records the ring buffer had no room for */
	__u64 stack_failed;   /* records submitted without a stack */
	__u32 share;	      /* samples each cell may take in a window; set by user space */
	__u32 window;	      /* time >> WINDOW_SHIFT, of all CPUs: in the first one's alone, */
	__u32 window_samples; /* and what all have taken in it */
	__u32 pad[7];
};

enum record_flag {
	RECORD_PREEMPT_COUNT = 1, /* preempt_count is valid */
	RECORD_OVERFLOW = 2,	  /* counted in the overflow cell, the table was full */
	RECORD_L2 = 4,		  /* packet[] starts at the link-layer header */
	RECORD_VLAN = 8,	  /* vlan_tci is valid */
	RECORD_KTHREAD = 16,	  /* the interrupted task is a kernel thread */
};

/* One sampled drop, followed by packet bytes. */
struct record {
	struct cell_key key;
	__u64 time_ns;	 /* CLOCK_MONOTONIC, from bpf_ktime_get_ns */
	__u64 cgroup_id; /* of the interrupted task, cgroup v2 */
	__u32 drops;	 /* how many drops of its cell this sample stands for */
	__u32 cpu;
	__u32 len;  /* skb->len, bytes */
	__u32 pid;  /* of the interrupted task: thread, */
	__u32 tgid; /* and process */
	__u32 preempt_count;
	__u16 flags; /* enum record_flag */
	__u16 vlan_tci;
	__u16 packet_len; /* valid bytes in packet[] */
	__u16 l3;	  /* offset in packet[] of the header behind VLAN tags */
	__s32 stack_len;  /* bytes in stack[], or a negative errno */
	__u16 segments;	  /* 0: not known */
	__u16 ethertype;  /* behind VLAN tags */
	char comm[COMM_LEN];
	char device[DEVICE_LEN];
	__u64 stack[MAX_FRAMES];
	__u8 packet[];
};

/* Stalls: what a CPU did while network work waited on it. */

enum {
	MAX_EDGES = 128,
	MAX_USER_FRAMES = 64,
	PATH_LEN = 512,
	BUCKETS = 32, /* of a histogram: bucket n counts 2^n to 2^(n+1) ns */
	STALL_PACKET_LEN = 64,
};

enum task_flag {
	TASK_KTHREAD = 1,
};

struct task {
	__u32 pid;  /* thread, */
	__u32 tgid; /* and process */
	char comm[COMM_LEN];
	__u16 policy; /* SCHED_NORMAL 0, SCHED_FIFO 1, ... */
	__s16 prio;   /* 0 to 98 real-time, 100 to 139 ordinary, -1 deadline */
	__u32 flags;  /* enum task_flag */
};

/* What a CPU was in the middle of. Times are CLOCK_MONOTONIC, 0: not. */
struct interrupted {
	struct task task;
	__u64 vector_ns; /* entry of the softirq vector being served */
	__u64 irq_ns;	 /* entry of the interrupt being handled */
	__u64 timer_ns;	 /* start of a timer's function */
	__u64 timer;	 /* that function */
	__s32 vector;
	__s32 irq;
	char handler[16]; /* of irq */
};

enum edge_kind {
	EDGE_RAISE,
	EDGE_SOFTIRQ_ENTRY,
	EDGE_SOFTIRQ_EXIT,
	EDGE_IRQ_ENTRY,
	EDGE_IRQ_EXIT,
	EDGE_TIMER_ENTRY,
	EDGE_TIMER_EXIT,
	EDGE_SWITCH,
	EDGE_WAKE,
};

/* A change in what a CPU does. */
struct edge {
	__u64 time_ns;
	__u64 function;	  /* of timers */
	struct task task; /* switched to, or woken; comm is the handler of interrupts */
	__s32 irq;
	__u16 kind; /* enum edge_kind */
	__u16 vector;
};

/* What programs at tracepoints are given. */
enum given {
	GIVEN_TYPES,   /* the arguments, with types that the verifier knows */
	GIVEN_NUMBERS, /* the arguments */
	GIVEN_RECORD,  /* a record made of them, struct trace_event_raw_* */
};

enum record_type {
	STALL_WINDOW = 1,
	STALL_SAMPLE,
	STALL_PACKET,
	STALL_ECHO,
};

/* The start of every record of the stalls ring. */
struct header {
	__u32 type; /* enum record_type */
	__u32 cpu;
	__u64 time_ns;
	__u64 start_ns; /* of the window it belongs to */
};

enum waiter {
	WAITER_SOFTIRQ,
	WAITER_THREAD,
	WAITER_PACKETS,
};

enum window_flag {
	WINDOW_BLOCKED = 1, /* the blocked fields are valid */
	WINDOW_LATE = 2,    /* they are those of a late timer */
	WINDOW_STOLEN = 4,  /* stolen_ns is valid */
	WINDOW_CUT = 8, /* it was sent before all that had waited was handled: late may be more */
	WINDOW_MOVED = 16, /* the thread moved to another CPU at served_ns, where it waits on */
};

struct window {
	struct header head; /* time_ns: when all that had waited was handled */
	__u64 served_ns;
	__u64 raised_ns;  /* of a thread: when it began to wait on this CPU */
	__u64 woken_ns;	  /* of a thread: when it began to wait, on any CPU */
	__u64 longest_ns; /* the longest wait of a packet that was seen to come, of any length */
	__u64 longest_till_ns; /* when that packet was handled */
	__u64 blocked_from_ns;
	__u64 blocked_till_ns;
	__u64 blocked_function;
	__u64 stolen_ns;
	__u64 packets; /* handled by the polls */
	__u64 late;    /* packets that had waited for the threshold, or that nobody saw come */
	__u32 waiter;  /* enum waiter */
	__u32 thread_pid;
	__u32 waited_cpu; /* of a thread: the CPU on which it waited longest */
	__u32 pad;
	__u32 flags; /* enum window_flag */
	__u32 ticks; /* samples taken or tried */
	__u32 runs;
	__u32 polls;
	__u32 full;
	__u32 squeezed;
	__u32 edges; /* valid in edge[] */
	__u32 edges_lost;
	char blocked_handler[16];
	char device[DEVICE_LEN];
	struct interrupted at;
	struct edge edge[MAX_EDGES];
};

enum sample_flag {
	SAMPLE_PREEMPT_COUNT = 1,
	SAMPLE_PENDING = 2,
	SAMPLE_SYSCALL = 4, /* the task's saved registers could be read */
	SAMPLE_LATE = 8,
};

struct cpu_sample {
	struct header head;
	struct interrupted at;
	__u64 cgroup_id;
	__u64 late_ns;
	__u64 args[3];
	__s64 syscall;
	__u32 preempt_count;
	__u32 pending;
	__u32 magic;
	__u32 flags; /* enum sample_flag */
	__s32 stack_len;
	__s32 user_len;
	__u32 path_len; /* bytes of path[]: names from the file up, each with its zero */
	__u32 pad;
	__u64 stack[MAX_FRAMES];
	__u64 user[MAX_USER_FRAMES];
	char path[PATH_LEN];
};

struct late_packet {
	struct header head;
	__u64 queued_ns;  /* 0: not known */
	struct task task; /* interrupted */
	__u32 preempt_count;
	__u32 flags; /* enum sample_flag */
	__u32 ifindex;
	__u32 netns;
	__u32 len;
	__u16 ethertype;
	__u16 packet_len;
	char device[DEVICE_LEN];
	__u8 packet[STALL_PACKET_LEN]; /* from the network header */
};

/* What a CPU is doing. Written by its CPU, and by those that wake or move its threads. */
struct cpu {
	__u64 start_ns;	  /* since when network work may wait; 0: it does not */
	__u64 raised_ns;  /* first raise of NET_RX that is not served; 0: none */
	__u64 pending_ns; /* when NET_RX could have run, had nothing kept it; of raised_ns */
	__u64 idle_ns;	  /* when NET_RX was served last with nothing left */
	__u64 served_ns;  /* NET_RX is being served since; 0: it is not */
	__u64 busy_ns;	  /* served since, run after run, with more work at each end */
	__u64 vector_ns;
	__u64 irq_ns;
	__u64 action;	/* struct irqaction of irq */
	__u64 timer_ns; /* of a timer that runs in a softirq */
	__u64 timer;
	__u64 hard_ns; /* of a timer that runs in an interrupt */
	__u64 hard;
	__u64 stolen_ns; /* at the last tick before start_ns */
	__u64 queue;	 /* address of this CPU's struct rq */
	__u64 skb;	 /* address of the packet at hand */
	__u64 queued_ns; /* when that came, for icmp_echo; 0: not known */
	__u64 waiting; /* address of the struct task_struct that came last to wait; 0: not known */
	__u32 waiting_pid;
	__u32 threads;	  /* NAPI threads that wait for their turn */
	__u32 resets;	  /* how often threads turned out to be wrong */
	__u32 thread_pid; /* NAPI thread that has the CPU; 0: none */
	__s32 vector;	  /* softirq being served, plus one; 0: none */
	__s32 irq;
	__u32 open;	      /* a window is open, until all that had waited is handled */
	__u32 samples;	      /* taken in this window */
	__u32 packets;	      /* sent in this window */
	__u32 received;	      /* packets that were seen to come, handled in this run */
	__u32 drained;	      /* a packet came that had not waited */
	__u32 known;	      /* a packet had waited that was seen to come */
	__u32 ticked;	      /* stolen_ns is valid */
	__u32 switched;	      /* the edge, plus one, to a task whose record has only the pid */
	char handler[16];     /* of irq, where a record told it */
	struct window window; /* as far as it is known */
	__u64 waits[BUCKETS]; /* from raise to entry */
	__u64 runs[BUCKETS];  /* from entry to exit */
	__u64 budget_ended;   /* runs that ended with work left */
	__u64 submitted;
	__u64 ring_full;
	__u64 stack_failed;
};

#endif
