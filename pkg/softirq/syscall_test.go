// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
)

func TestSyscallNames(t *testing.T) {
	for arch, want := range map[string]map[int]string{
		"amd64": {0: "read", 17: "pread64", 78: "getdents", 217: "getdents64", 321: "bpf", 334: "rseq", 424: "pidfd_send_signal", 451: "cachestat", 400: "syscall_400", -1: "syscall_-1"},
		"arm64": {0: "io_setup", 61: "getdents64", 63: "read", 67: "pread64", 79: "newfstatat", 243: "recvmmsg", 244: "syscall_244", 260: "wait4", 280: "bpf", 451: "cachestat"},
		"mips":  {3: "syscall_3"},
	} {
		names := syscallNamesOf(arch)
		for number, name := range want {
			if got := names.name(number); got != name {
				t.Errorf("%s: %d is %q, want %q", arch, number, got, name)
			}
		}
	}
}

// TestDescriptorFirst has a name that no architecture knows misspelled.
func TestDescriptorFirst(t *testing.T) {
	known := map[string]bool{}
	for _, arch := range []string{"amd64", "arm64"} {
		for _, name := range syscallNamesOf(arch) {
			known[name] = true
		}
	}
	for name := range descriptorFirst {
		if !known[name] {
			t.Errorf("no system call %q", name)
		}
	}
}

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

func TestSyscallString(t *testing.T) {
	for want, s := range map[string]Syscall{
		"read(/proc/slabinfo)": {Name: "read", Path: "/proc/slabinfo"},
		"getdents64(fd -1)":    {Name: "getdents64", Args: [3]uint64{0xffffffff}},
		"bpf()":                {Name: "bpf", Args: [3]uint64{10}},
		"syscall_999()":        {Name: "syscall_999"},
		"read(/sys/fs/cgroup/memory/…/memory.stat)":                                       {Name: "read", Path: memoryStat},
		"read(/0123456789012345678901234567890123456789012345678901234567890123456789/f)": {Name: "read", Path: "/0123456789012345678901234567890123456789012345678901234567890123456789/f"},
	} {
		if got := s.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestMostCommonFile is a loop over many files of which one is slow.
func TestMostCommonFile(t *testing.T) {
	sample := func(number int, path string) event.CPUSample {
		return event.CPUSample{Stack: stack(readFrames...), Syscall: &event.Syscall{Number: number, Path: path}}
	}
	names := syscallNamesOf("amd64")
	if got := names.of([]event.CPUSample{sample(0, "/a"), sample(0, "/b"), sample(0, "/b"), sample(3, "/b")}); got.String() != "read(/b)" {
		t.Errorf("got %s", got)
	}
	if got := names.of([]event.CPUSample{sample(0, "/a"), {}, {}}); got != nil {
		t.Errorf("got %s from one sample of three", got)
	}
}
