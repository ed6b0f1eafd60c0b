// SPDX-License-Identifier: Apache-2.0

package event

// TickFunctions returns the names of what the scheduler's tick runs in the kernel,
// kernel/time/tick-sched.c: tick_sched_timer before 6.9, then tick_nohz_handler. The
// older kernels have the second, too, but no timer runs it: where both are, it is the
// first.
func TickFunctions() []string { return []string{"tick_sched_timer", "tick_nohz_handler"} }
