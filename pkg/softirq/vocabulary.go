// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Softirq vectors; include/linux/interrupt.h, the same from 5.10 to 7.2 at least.
var vectorNames = [...]string{
	"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU",
}

const (
	noVector      = -1
	unknownVector = -2
	timerVector   = 1
	netRX         = 3
	hrtimerVector = 8
)

// vectorName is empty for a vector that is not known.
func vectorName(vector int8) string {
	if vector < 0 || int(vector) >= len(vectorNames) {
		return ""
	}
	return vectorNames[vector]
}

// Bits of preempt_count; include/linux/preempt.h, the same since 2.6, and as event.ContextOf
// has them on PREEMPT_RT.
const (
	serving    = 1 << 8
	bhOff      = 0xfe00
	hardirqBit = 0xf << 16
)

// Scheduling policies; include/uapi/linux/sched.h.
const (
	schedFIFO     = 1
	schedRR       = 2
	schedDeadline = 6
)

// realTime names the policy of a real-time task. It is empty for ordinary ones.
func realTime(policy uint8) string {
	switch policy {
	case schedFIFO:
		return "SCHED_FIFO"
	case schedRR:
		return "SCHED_RR"
	case schedDeadline:
		return "SCHED_DEADLINE"
	}
	return ""
}

// userPriority makes what chrt shows of the kernel's priority of a real-time task;
// include/linux/sched/prio.h: 99 less that. Deadline tasks, which have -1, have none.
func userPriority(priority int16) int {
	if priority < 0 {
		return 0
	}
	return max(0, 99-int(priority))
}

const ksoftirqd = "ksoftirqd/"

// isNetwork reports whether a task does network work itself: NAPI threads (5.12),
// backlog threads (6.10), and ksoftirqd. Names are believed of kernel threads only.
func isNetwork(task event.Task, kthread bool) bool {
	return kthread && (strings.HasPrefix(task.Comm, "napi/") ||
		strings.HasPrefix(task.Comm, "backlog_napi/") || isKsoftirqd(task, kthread))
}

func isKsoftirqd(task event.Task, kthread bool) bool {
	return kthread && strings.HasPrefix(task.Comm, ksoftirqd)
}
