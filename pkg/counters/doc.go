// SPDX-License-Identifier: Apache-2.0

// Package counters reads, once a second, the counters of lost packets that the kernel and
// its drivers keep: of every network namespace, interface, queue and CPU.
package counters
