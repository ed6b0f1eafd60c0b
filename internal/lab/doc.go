// SPDX-License-Identifier: Apache-2.0

// Package lab makes packets die on the live kernel: for a known reason, an
// exact number of times, in network namespaces of its own.
//
// A tracer that claims to count every drop has to be compared with something
// that knows how many there were. Each Scenario is such a thing: it builds two
// namespaces joined by a veth pair, spoils one detail (a full buffer, a bad
// checksum, a firewall rule), sends until exactly n packets have died of it,
// and says in an Expect what a tracer of skb:kfree_skb must have seen.
//
// Nothing outside the two namespaces is changed, and no sysctl of the node. (One
// scenario, cgroup-egress, attaches a program to this process's own cgroup; it lets
// pass whatever is not the lab's.) Namespaces, devices, rules and programs are held
// by file descriptors only, so that nothing is left behind when the process is
// killed. No program is executed: all is made by system calls, so that the package
// works in a guest which has nothing but busybox. It needs root.
//
// A Flood makes the same packet die very often, for benchmarks.
package lab
