// SPDX-License-Identifier: Apache-2.0

package kernel

// Softirq vectors; include/linux/interrupt.h, the same from 5.10 to 7.2 at least.
const (
	TimerSoftirq   = 1
	NetRXSoftirq   = 3
	HRTimerSoftirq = 8
)

var softirqNames = [...]string{
	"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU",
}

// SoftirqName returns the name of a vector as in /proc/softirqs, such as NET_RX; empty if
// there is no such vector.
func SoftirqName(vector int8) string {
	if vector < 0 || int(vector) >= len(softirqNames) {
		return ""
	}
	return softirqNames[vector]
}

// Bits of preempt_count; include/linux/preempt.h, unchanged since 2.6. PREEMPT_RT keeps
// those of softirqs in task_struct.softirq_disable_cnt; the BPF programs add them.
const (
	SoftirqServing  = 1 << 8 // SOFTIRQ_OFFSET: a softirq is being served
	SoftirqDisabled = 0xfe00 // the rest of SOFTIRQ_MASK: bottom halves are disabled
	HardirqMask     = 0xf << 16
	NMIMask         = 0xf << 20
)
