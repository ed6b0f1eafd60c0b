// SPDX-License-Identifier: Apache-2.0

package kernel

import "testing"

func TestSyscallNames(t *testing.T) {
	for arch, want := range map[string]map[int]string{
		"amd64": {0: "read", 17: "pread64", 78: "getdents", 217: "getdents64", 321: "bpf", 334: "rseq", 424: "pidfd_send_signal", 451: "cachestat", 400: "syscall_400", -1: "syscall_-1"},
		"arm64": {0: "io_setup", 61: "getdents64", 63: "read", 67: "pread64", 79: "newfstatat", 243: "recvmmsg", 244: "syscall_244", 260: "wait4", 280: "bpf", 451: "cachestat"},
		"mips":  {3: "syscall_3"},
	} {
		names := SyscallsOf(arch)
		for number, name := range want {
			if got := names.Name(number); got != name {
				t.Errorf("%s: %d is %q, want %q", arch, number, got, name)
			}
		}
	}
}

// TestDescriptorFirst has a name that no architecture knows misspelled.
func TestDescriptorFirst(t *testing.T) {
	known := map[string]bool{}
	for _, arch := range []string{"amd64", "arm64"} {
		for _, name := range SyscallsOf(arch) {
			known[name] = true
		}
	}
	for name := range descriptorFirst {
		if !known[name] {
			t.Errorf("no system call %q", name)
		}
	}
}
