// SPDX-License-Identifier: Apache-2.0

package kernel

import "strings"

// Scheduling policies; include/uapi/linux/sched.h.
const (
	SchedFIFO     = 1
	SchedRR       = 2
	SchedDeadline = 6
)

// RealTimePolicy returns the name of a real-time policy, such as SCHED_FIFO; empty for any
// other.
func RealTimePolicy(policy uint8) string {
	switch policy {
	case SchedFIFO:
		return "SCHED_FIFO"
	case SchedRR:
		return "SCHED_RR"
	case SchedDeadline:
		return "SCHED_DEADLINE"
	}
	return ""
}

// UserPriority returns the priority of a real-time task as chrt shows it, 1 to 99, from
// task_struct.prio; include/linux/sched/prio.h: 99 less that. SCHED_DEADLINE tasks have
// prio -1 and no such priority: it returns 0.
func UserPriority(prio int16) int {
	if prio < 0 {
		return 0
	}
	return max(0, 99-int(prio))
}

// Prefixes of the names of threads.
const (
	Ksoftirqd     = "ksoftirqd/"    // and the CPU; kernel/softirq.c
	NAPIThread    = "napi/"         // and the device; net/core/dev.c, since 5.12
	BacklogThread = "backlog_napi/" // and the CPU; net/core/dev.c, since 6.10
)

// IsKsoftirqd reports whether a thread is ksoftirqd. A process can have any name, so only
// kernel threads are.
func IsKsoftirqd(comm string, kthread bool) bool {
	return kthread && strings.HasPrefix(comm, Ksoftirqd)
}

// IsNetworkThread reports whether a thread polls devices itself: a NAPI thread, a backlog
// thread, or ksoftirqd.
func IsNetworkThread(comm string, kthread bool) bool {
	return IsKsoftirqd(comm, kthread) || kthread &&
		(strings.HasPrefix(comm, NAPIThread) || strings.HasPrefix(comm, BacklogThread))
}
