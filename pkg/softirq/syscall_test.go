// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

func TestInSyscall(t *testing.T) {
	for name, test := range map[string]struct {
		stack *event.Stack
		want  bool
	}{
		"amd64":                     {stack("vfs_read", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"), true},
		"amd64, a softirq on top":   {stack(append([]string{"f", "handle_softirqs", "asm_sysvec_apic_timer_interrupt"}, readFrames...)...), true},
		"amd64, a page fault":       {stack("handle_mm_fault", "exc_page_fault", "asm_exc_page_fault"), false},
		"amd64, an interrupt":       {stack(tickFrames...), false},
		"amd64, 32 bits":            {stack("vfs_read", "do_fast_syscall_32", "entry_SYSENTER_compat_after_hwframe"), false},
		"amd64, a kernel thread":    {stack("worker_thread", "kthread", "ret_from_fork", "ret_from_fork_asm"), false},
		"arm64, 6.1":                {stack("vfs_read", "invoke_syscall", "do_el0_svc", "el0_svc", "el0t_64_sync_handler", "el0t_64_sync"), true},
		"arm64, 5.10":               {stack("vfs_read", "do_el0_svc", "el0_svc", "el0_sync_handler", "el0_sync"), true},
		"arm64, a page fault":       {stack("handle_mm_fault", "do_mem_abort", "el0_da", "el0t_64_sync_handler", "el0t_64_sync"), false},
		"arm64, 32 bits":            {stack("vfs_read", "do_el0_svc_compat", "el0_svc_compat", "el0t_32_sync_handler", "el0t_32_sync"), false},
		"the stack's root was cut":  {&event.Stack{Frames: stack(readFrames...).Frames, Cut: true}, false},
		"no names, kptr_restrict":   {&event.Stack{Frames: []*event.Frame{{Addr: 1}}}, false},
		"an empty stack":            {stack(), false},
		"no stack":                  {nil, false},
		"a copy by another compile": {stack("vfs_read", "do_syscall_64", "entry_SYSCALL_64_safe_stack"), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := inSyscall(&event.CPUSample{Stack: test.stack, Syscall: &event.Syscall{}}); got != test.want {
				t.Errorf("in a system call: %t", got)
			}
		})
	}
	if inSyscall(&event.CPUSample{Stack: stack(readFrames...)}) {
		t.Error("in a system call without number")
	}
}

// TestMostCommonFile is a loop over many files of which one is slow.
func TestMostCommonFile(t *testing.T) {
	sample := func(number int, path string) event.CPUSample {
		return event.CPUSample{Stack: stack(readFrames...), Syscall: &event.Syscall{Number: number, Path: path}}
	}
	names := kernel.SyscallsOf("amd64")
	if got := syscallOf([]event.CPUSample{sample(0, "/a"), sample(0, "/b"), sample(0, "/b"), sample(3, "/b")}, names); got.String() != "read(/b)" {
		t.Errorf("got %s", got)
	}
	if got := syscallOf([]event.CPUSample{sample(0, "/a"), {}, {}}, names); got != nil {
		t.Errorf("got %s from one sample of three", got)
	}
}
