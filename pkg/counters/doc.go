// SPDX-License-Identifier: Apache-2.0

// Package counters reads the loss counters of the kernel and its drivers once a second: those
// of every network namespace, interface, queue and CPU.
package counters
