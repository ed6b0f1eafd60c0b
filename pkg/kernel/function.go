// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"slices"
	"strings"
)

// FunctionName returns the function of a symbol, without what compilers append:
// tasklet_action_common of tasklet_action_common.constprop.0.
func FunctionName(symbol string) string {
	name, _, _ := strings.Cut(symbol, ".")
	return name
}

// TickFunctions returns the names of the function that the scheduler's tick runs;
// kernel/time/tick-sched.c: tick_sched_timer before 6.9, then tick_nohz_handler. Older
// kernels have a tick_nohz_handler that no hrtimer runs: where both exist, it is the first.
func TickFunctions() []string { return []string{"tick_sched_timer", "tick_nohz_handler"} }

// IsInterruptEntry reports whether a function is the outermost of an interrupt: on amd64
// arch/x86/include/asm/idtentry.h, on arm64 arch/arm64/kernel/entry.S.
func IsInterruptEntry(name string) bool {
	switch name {
	case "asm_common_interrupt", "el1_irq", "el0_irq", "el1h_64_irq", "el1t_64_irq", "el0t_64_irq", "el0t_32_irq":
		return true
	}
	return strings.HasPrefix(name, "asm_sysvec_")
}

// IsTimerInterrupt reports whether a function runs timers; kernel/time/hrtimer.c. In a
// softirq __hrtimer_run_queues runs them, too.
func IsTimerInterrupt(name string) bool {
	return name == "__hrtimer_run_queues" || name == "hrtimer_interrupt"
}

// IsInterruptExit reports whether a function lies between the entry of an interrupt and
// the softirqs at its end; kernel/softirq.c, arch/x86/kernel/irq.c, DEFINE_IDTENTRY_SYSVEC
// in arch/x86/include/asm/idtentry.h, arch/arm64/kernel/entry-common.c.
func IsInterruptExit(name string) bool {
	switch name {
	case "do_softirq_own_stack", "____do_softirq", "call_on_irq_stack",
		"asm_call_irq_on_stack", "invoke_softirq", "__irq_exit_rcu", "irq_exit_rcu",
		"irq_exit", "common_interrupt", "el1_interrupt", "__el1_irq", "el1h_64_irq_handler",
		"handle_domain_irq", "gic_handle_irq":
		return true
	}
	return strings.HasPrefix(name, "sysvec_")
}

// IsExitToUser reports whether a function lies between an interrupt that came in user
// space and the return there, where interrupts are enabled for pending work;
// kernel/entry/common.c (include/linux/irq-entry-common.h since 6.17),
// arch/arm64/kernel/entry-common.c.
func IsExitToUser(name string) bool {
	switch name {
	case "irqentry_exit_to_user_mode", "irqentry_exit", "exit_to_user_mode_loop",
		"exit_to_user_mode_prepare", "prepare_exit_to_usermode", "asm_exit_to_user_mode",
		"el0_interrupt", "__el0_irq_handler_common", "el0t_64_irq_handler", "ret_to_user":
		return true
	}
	return false
}

// EntersBySyscall reports whether a stack that ends with these functions, outermost last,
// entered the kernel by a 64-bit system call; arch/x86/entry/entry_64.S,
// arch/arm64/kernel/entry.S. On arm64 faults have the outermost function of system calls
// and no el0_svc, which is one of the last three.
func EntersBySyscall(last ...string) bool {
	if len(last) == 0 {
		return false
	}
	switch root := last[len(last)-1]; {
	case strings.HasPrefix(root, "entry_SYSCALL_64"), root == "el0_svc":
		return true
	case root == "el0t_64_sync", root == "el0_sync":
		return slices.Contains(last[max(0, len(last)-3):], "el0_svc")
	}
	return false
}

// IsEntry reports whether a symbol is a function between user space, or the start of a
// thread, and the work of the kernel.
func IsEntry(symbol string) bool {
	switch symbol {
	case "do_syscall_64", "x64_sys_call", "ret_from_fork", "ret_from_fork_asm", "kthread",
		"el0t_64_sync", "el0t_64_sync_handler", "el0_svc", "do_el0_svc", "invoke_syscall",
		"el0_svc_common", "invoke_syscall.constprop.0", "el0_svc_common.constprop.0":
		return true
	}
	return strings.HasPrefix(symbol, "entry_SYSCALL_") || strings.HasPrefix(symbol, "napi_threaded_poll")
}
