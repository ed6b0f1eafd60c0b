/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The records that classic tracepoints give to programs, as far as dropwatch reads them. */
#ifndef DROPWATCH_TRACEPOINT_H
#define DROPWATCH_TRACEPOINT_H

#include "kernel.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

enum skb_drop_reason {
	SKB_NOT_DROPPED_YET = 0,
};

/*
 * The record of skb:kfree_skb names its arguments: reason came with 5.17 (c504e5c2f964), rx_sk
 * with 6.11 (c53795d48ee8).
 */
struct trace_event_raw_kfree_skb {
	void *skbaddr;
	void *location;
	enum skb_drop_reason reason; /* of this type: CO-RE finds no field of another kind */
	void *rx_sk;
};

struct trace_event_raw_softirq {
	unsigned int vec;
};

struct trace_event_raw_irq_handler_entry {
	int irq;
	__u32 __data_loc_name; /* its offset in the record in the lower half */
};

struct trace_event_raw_irq_handler_exit {
	int irq;
};

struct trace_event_raw_timer_class {
	void *timer;
};

struct trace_event_raw_timer_expire_entry {
	void *timer;
};

struct trace_event_raw_hrtimer_class {
	void *hrtimer;
};

struct trace_event_raw_hrtimer_expire_entry {
	void *hrtimer;
};

struct trace_event_raw_napi_poll {
	struct napi_struct *napi;
	int work;
	int budget;
};

struct trace_event_raw_net_dev_template {
	void *skbaddr;
};

struct trace_event_raw_sched_switch {
	int next_pid;
};

struct trace_event_raw_sched_wakeup_template {
	char comm[16];
	int pid;
	int prio;
	int target_cpu;
};

#pragma clang attribute pop

#endif
