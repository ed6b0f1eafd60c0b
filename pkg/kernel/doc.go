// SPDX-License-Identifier: Apache-2.0

// Package kernel holds names and numbers of Linux that events refer to: softirq vectors,
// bits of preempt_count, scheduling policies, network threads, system calls, and the
// functions between an interrupt or a system call and the work it does.
//
// Each comes with its source in the kernel tree and, where kernels differ, the release
// that changed it. The package reads no kernel; it imports the standard library alone.
package kernel
