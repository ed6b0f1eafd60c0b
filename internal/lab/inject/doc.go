// SPDX-License-Identifier: Apache-2.0

// Package inject makes received packets wait on one CPU, for a known reason and a
// known time.
//
// A tracer that names what kept NET_RX waiting has to be compared with something
// that knows. A Bench is such a thing: two namespaces joined by a veth pair, whose
// packets are sent on CPU 0 and handled on CPU 1, and an injector that on demand
// holds CPU 1 in the way of its Class (bottom halves off, interrupts off, a long
// interrupt, …) and says in a Truth what it did and when. Meanwhile the bench sends
// a packet each millisecond and notes when each was sent and when it arrived.
//
// What a bench does, processes do that are forks of the calling one, called inject-…:
// they share neither its memory nor Go's runtime, so that whoever uses a bench is not
// held up with the CPU. There are limits to that: while interrupts are off on one CPU,
// the kernel on the other may have to wait for it (IRQOff, HardirqLong), and then
// nothing is sent.
//
// All times are CLOCK_MONOTONIC, as bpf_ktime_get_ns returns it. No hold lasts
// longer than MaxHold: each ends at a deadline, and after a number of turns if the
// clock should fail.
//
// Programs, links, sockets and namespaces are held by file descriptors only, and
// end with the process. NETRXBudget alone changes settings of the node
// (net.core.netdev_budget and netdev_max_backlog), while it injects, and restores
// them; a process that is killed in that instant does not. No program is executed.
// It needs root and two CPUs.
package inject
