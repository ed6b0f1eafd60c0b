// SPDX-License-Identifier: Apache-2.0

// Package softirq names what kept NET_RX waiting.
//
// A Tracker takes events and returns a Stall for each Window in which packets
// waited for longer than the threshold. It knows no clock and no kernel: the same
// events give the same stalls, live or from a recording.
//
// # When a stall begins and ends
//
// It ends when network work began (Window.Served), or for packets behind slow
// packets when all were handled (Done). It begins with the first packet that waited:
//
//   - If all listed packets have a known arrival, with the first of them, and there
//     is no stall if none waited for the threshold. Packets that came after the end
//     did not wait and are left out. An arrival long before the window is not believed.
//   - A packet from a ring does not say when it came. Then the wait begins with the
//     raise, or, if interrupts were off before it, with those; Stall.Bound says that
//     the packets may have come later.
//   - A raise counts only while it can have been pending. It is stale up to a sample
//     that finds the NET_RX bit clear outside of softirqs (inside, the kernel has
//     taken the bits down already), up to the end of a NET_RX run, and up to the end
//     of a silence: no edge and no tick for ten periods, or for a second if nothing
//     samples. That is how missed entries, CPU hotplug and suspend look. From there
//     on only the next raise or sample proves that NET_RX was pending.
//   - Without any packet nothing waited, unless NET_RX is known to have been pending.
//   - If NET_RX was entered soon and packets waited for the threshold all the same,
//     they waited for others, and the time in which they were handled counts, too.
//   - Behind slow packets the stall is the longest wait of a packet that was seen to come
//     (Window.Longest). Recordings before schema 4 lack it: there each stall begins where
//     the one before ended while NET_RX is busy without a break, though packets may have
//     waited for longer.
//   - A thread waits on one CPU after another if it is moved: the windows of the CPUs
//     that it left (Window.Moved) and the last one are joined.
//
// Late packets are those that waited for the threshold, or may have.
//
// Evidence that interrupts were off (Blocked) begins earlier, by a tick at most, if a
// packet came earlier. It loses the part before any edge or
// sample that needs interrupts. It is not believed from ten seconds on: a watchdog
// would have fired, so a clock was set or the machine slept. Nor is a late timer for
// longer than a tick, if neither the tick nor any other was late: somebody started it
// when its time was past.
//
// # Where the time went
//
// The window is cut into segments at each edge and sample, and each segment goes to
// the innermost of hard interrupt, softirq vector, and task. A task is believed for
// three periods without a sample; beyond that, and where a sample contradicts the
// edges, the time is unaccounted. Where edges were lost, a sample stands for the time
// halfway to its neighbours. Stolen time lies somewhere in the window: it is taken
// from where it must be, time with interrupts off, then unaccounted time, then the
// largest rest. Parts sum to the window exactly.
//
// # The verdict
//
// Stolen time of half the window is STEAL; more than 30 % unaccounted is
// UNEXPLAINED, which blames nobody. Else the kind of activity with the most time
// decides: a hard interrupt, another vector, interrupts off, idleness, network work
// itself (NAPI, backlog and ksoftirqd threads are that, too), or tasks.
//
// For tasks the samples' preempt_count decides whether bottom halves were off. If
// they were on, and the tick did not drain the queue, softirqs were left to a thread,
// as kernels before 6.5 and real-time kernels do. That is told by behavior: a raise
// in a hard interrupt with bottom halves on that was not served when it ended, two
// samples with bottom halves on and NET_RX pending, or ksoftirqd woken and not run.
// Without that the tick was late (TICK_DEFERRAL), up to two periods or ten
// milliseconds; longer waits are UNEXPLAINED. An idle CPU is IDLE_EXIT for twenty
// milliseconds, or twice as long as its idle exits usually take.
//
// # Confidence
//
// High takes three samples, half of those that were due, 80 % of them agreeing, and
// 80 % of the window accounted; or, for HARDIRQ_LONG and OTHER_SOFTIRQ, a named
// handler or vector that covers 80 % of the window from its entry to its exit.
// Medium takes 80 % accounted and half of the window in what is blamed. Late timers,
// stolen time and idleness are medium at most, bottom halves that no sample shows
// off low. A source that the kernel does not offer (Stall.Unavailable) lowers
// confidence by one step.
package softirq
