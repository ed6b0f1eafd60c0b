// SPDX-License-Identifier: Apache-2.0

// Package softirq finds what kept NET_RX waiting.
//
// A Tracker takes events and returns a stall for each event.Window in which packets
// waited for the threshold or longer. It reads no clock and no kernel: the same events
// give the same stalls, live or from a recording.
//
// A window passes four steps, each a function of what the one before returned:
//
//   - newEvidence keeps what the events say and drops what they contradict.
//   - timeline cuts the CPU's time into segments, one activity each.
//   - findStart and clipToPrevious decide when packets waited, or dismiss the window.
//   - judge adds up the segments of the wait and picks the verdict.
//
// # When a wait begins and ends
//
// A wait ends when network work begins (Window.Served). Behind slow packets it ends when
// all packets are handled (Window.Done). It begins when the first packet arrives:
//
//   - If every listed packet has a known arrival, the wait begins with the first. The
//     window is dismissed if no packet waited for the threshold. Packets that arrived
//     after the end did not wait and are left out. An arrival long before the window is
//     not credible and counts as unknown.
//   - The arrival of a packet from a device ring is unknown. The wait then begins with
//     the raise, or with interrupts being disabled if that came first. Stall.Bound says
//     that packets may have arrived later.
//   - A raise counts only while it can be pending. It is stale before a sample that finds
//     the NET_RX bit clear outside softirqs (while softirqs are served the kernel has
//     cleared the bits already), before the end of a NET_RX run, and before the end of a
//     silence: ten sampler periods without an edge or tick, or one second where nothing
//     samples. Missed softirq entries, CPU hotplug and suspend look like that. After it,
//     only another raise or sample proves that NET_RX is pending.
//   - Without a packet nothing waited, unless NET_RX is known to have been pending.
//   - If NET_RX was entered soon and packets still waited for the threshold, they waited
//     behind other packets, and the time to handle those counts.
//   - Behind slow packets the stall is the longest wait of a packet with a known arrival
//     (Window.Longest). Recordings before schema 4 lack it. While NET_RX stays busy, each
//     of their stalls begins where the previous one ended, though packets may have waited
//     for longer.
//   - A thread that is moved waits on several CPUs. The windows of the CPUs that it left
//     (Window.Moved) and the last one are joined.
//
// Late packets are those that waited for the threshold, or may have.
//
// Evidence that interrupts were disabled (Window.Blocked) begins earlier, by one tick at
// most, if a packet arrived earlier. It loses the part before any edge or sample that
// needs interrupts. From ten seconds on it is ignored: the hard lockup detector would have
// fired, so a clock was set or the machine slept. A single late timer that is not the tick
// is ignored if it is later than a tick: it was started when its time was past.
//
// # Where the time went
//
// The window is cut into segments at every edge and sample. Each segment goes to the
// innermost of hard interrupt, softirq vector and task. A task is trusted for three
// sampler periods without a sample. After that, and where a sample contradicts the edges,
// time is unaccounted. Where edges were lost, a sample stands for the time halfway to its
// neighbors. The position of stolen time in the window is unknown. It replaces time with
// interrupts disabled first, then unaccounted time, then the largest rest. The parts sum to
// the window exactly.
//
// # The verdict
//
// Stolen time of half the window or more is STEAL. More than 30 % unaccounted time is
// UNEXPLAINED, which blames nobody. Otherwise the kind of activity with the most time
// decides: hard interrupts, other vectors, network work itself (with NAPI, backlog and
// ksoftirqd threads), interrupts disabled, idleness, or tasks.
//
// For tasks the preempt_count of the samples decides whether bottom halves were disabled.
// If they were enabled and the tick did not serve the queue, softirqs were deferred to a
// thread, as on kernels before 6.5 and on PREEMPT_RT. Behavior shows it: a raise in a hard
// interrupt with bottom halves enabled that is not served when the interrupt ends, two
// samples with bottom halves enabled and NET_RX pending, or ksoftirqd woken and not run.
// Without such a sign the tick was late: TICK_DEFERRAL up to two periods or ten
// milliseconds, whichever is longer, and UNEXPLAINED beyond. An idle CPU is IDLE_EXIT up to
// twenty milliseconds or twice the median of its latest idle exits, whichever is longer.
//
// # Confidence
//
// High needs three samples, half of the samples due, 80 % of the samples agreeing, and
// 80 % of the window accounted; for HARDIRQ_LONG and OTHER_SOFTIRQ, a named handler or
// vector that covers 80 % of the window from its entry to its exit is enough. Medium needs
// 80 % accounted and half of the window in what is blamed. Late timers, stolen time and
// idleness reach medium at most; disabled bottom halves that no sample shows are low. A
// source that the kernel lacks (Stall.Unavailable) lowers confidence by one step.
package softirq
