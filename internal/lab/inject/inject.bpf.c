//go:build ignore

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Keeps a CPU busy in a known context for a known time, and writes down when that was. */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual BSD/GPL";

enum {
	MAX_HOLD_NS = 1000000000,
	TURNS = 512,	     /* of each loop */
	MAX_PACKETS = 65536, /* of the traffic */
	MAX_BURST = 50000,   /* datagrams of a burst; their numbers follow */
	PROTOCOL_AT = 23,    /* in a frame that holds an IPv4 packet without options */
	PORT_AT = 36,	     /* likewise, a UDP datagram's destination port */
	SEQ_AT = 28,	     /* of the payload behind an IPv4 and a UDP or ICMP echo header */
	ALARM_NS = 1000000,  /* from setting off the timer until it holds its CPU */
	IPPROTO_UDP = 17,
	CLOCK_MONOTONIC = 1,
};

/* How long each program is to hold the CPU; never longer than MAX_HOLD_NS. */
__u64 hold_ns;

/* The next timer interrupt, or the next read, is to hold its CPU. */
bool armed;

/* Destination port of the datagrams that hold the CPU. */
const volatile __u16 slow_port;

/* When a CPU was held: the time of several holds, if several packets made it up. */
struct window {
	__u64 start_ns; /* CLOCK_MONOTONIC, of the first reading of the clock inside */
	__u64 end_ns;	/* of the last one; 0: not over */
	__u32 cpu;
	__u32 holds;
};

struct window held;

/* When a packet was given to its socket, still in the softirq. */
struct arrival {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 cpu;
	__u32 pad;
};

/* Key: the packet's number. Value: its arrival, until a later burst uses the number again. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_PACKETS + MAX_BURST);
	__type(key, __u32);
	__type(value, struct arrival);
} arrivals SEC(".maps");

struct alarm {
	struct bpf_timer timer;
};

/* Key: 0. Value: the timer that holds its CPU, for the life of the bench. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct alarm);
} alarms SEC(".maps");

/* Masks interrupts, at any place in a program. Needs kernel 6.14+. */
extern void bpf_local_irq_save(unsigned long *flags) __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __ksym;

/*
 * Three loops, one within the other, read the clock until a time has come, or so many
 * times. The verifier walks through global functions on their own (51c39bb1d5d1, 5.6),
 * and not at each call. Where interrupts are masked they can be called from 6.15 on.
 */
__noinline int wait_little(__u64 deadline_ns)
{
	int i;

	for (i = 0; i < TURNS; i++) {
		if (bpf_ktime_get_ns() >= deadline_ns)
			return 1;
	}
	return 0;
}

__noinline int wait_longer(__u64 deadline_ns)
{
	int i;

	for (i = 0; i < TURNS; i++) {
		if (wait_little(deadline_ns))
			return 1;
	}
	return 0;
}

__noinline int wait(__u64 deadline_ns)
{
	int i;

	for (i = 0; i < TURNS; i++) {
		if (wait_longer(deadline_ns))
			return 1;
	}
	return 0;
}

static __always_inline void hold(void)
{
	__u64 start_ns = bpf_ktime_get_ns(), length_ns = hold_ns;

	if (length_ns > MAX_HOLD_NS)
		length_ns = MAX_HOLD_NS;
	wait(start_ns + length_ns);
	if (!held.start_ns)
		held.start_ns = start_ns;
	held.cpu = bpf_get_smp_processor_id();
	held.holds++;
	*(volatile __u64 *)&held.end_ns = bpf_ktime_get_ns();
}

/* True once each time the bench has armed its programs. */
static __always_inline bool disarm(void)
{
	bool was = armed;

	armed = false;
	return was;
}

/*
 * In a read() of the iterator's file, once for each map there is (bpf_seq_read,
 * kernel/bpf/bpf_iter.c): not preemptible, with bottom halves and interrupts on.
 */
SEC("iter/bpf_map")
int hold_read(void *ctx)
{
	if (disarm())
		hold();
	return 0;
}

SEC("iter/bpf_map")
int hold_irq_off(void *ctx)
{
	unsigned long flags;

	if (!disarm())
		return 0;
	bpf_local_irq_save(&flags);
	hold();
	bpf_local_irq_restore(&flags);
	return 0;
}

/* A software clock's event is an hrtimer's, in hard interrupt context (perf_swevent_hrtimer). */
SEC("perf_event")
int hold_hardirq(void *ctx)
{
	if (disarm())
		hold();
	return 0;
}

static int ring(void *map, __u32 *key, struct alarm *alarm)
{
	hold();
	return 0;
}

/* Sets off a timer of this CPU's HRTIMER softirq (HRTIMER_MODE_REL_SOFT, kernel/bpf/helpers.c). */
SEC("syscall")
int hold_softirq(void *ctx)
{
	struct alarm *alarm;
	__u32 key = 0;
	long err;

	alarm = bpf_map_lookup_elem(&alarms, &key);
	if (!alarm)
		return 0;
	bpf_timer_init(&alarm->timer, &alarms, CLOCK_MONOTONIC); /* EBUSY but for the first time */
	err = bpf_timer_set_callback(&alarm->timer, ring);
	return err ?: bpf_timer_start(&alarm->timer, ALARM_NS, 0);
}

static __always_inline bool is_slow(struct __sk_buff *skb)
{
	__u8 protocol = 0;
	__be16 port = 0;

	bpf_skb_load_bytes(skb, PROTOCOL_AT, &protocol, sizeof(protocol));
	bpf_skb_load_bytes(skb, PORT_AT, &port, sizeof(port));
	return protocol == IPPROTO_UDP && port == bpf_htons(slow_port);
}

/* Holds the CPU at each datagram to slow_port. */
SEC("tc")
int hold_receive(struct __sk_buff *skb)
{
	if (is_slow(skb))
		hold();
	return TC_ACT_UNSPEC;
}

/* The same in the sending of one, with bottom halves off (__dev_queue_xmit), which takes it. */
SEC("tc")
int hold_bh_off(struct __sk_buff *skb)
{
	if (!is_slow(skb))
		return TC_ACT_UNSPEC;
	hold();
	return TC_ACT_STOLEN;
}

/* With a program in the driver a veth device receives by NAPI. */
SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

/* On a socket: notes the arrival of a packet by the number in its payload. */
SEC("socket")
int arrive(struct __sk_buff *skb)
{
	struct arrival arrival = {};
	__u32 number;

	arrival.time_ns = bpf_ktime_get_ns();
	arrival.cpu = bpf_get_smp_processor_id();
	if (!bpf_skb_load_bytes_relative(skb, SEQ_AT, &number, sizeof(number), BPF_HDR_START_NET))
		bpf_map_update_elem(&arrivals, &number, &arrival, BPF_ANY);
	return skb->len;
}
