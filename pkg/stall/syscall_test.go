// SPDX-License-Identifier: Apache-2.0

package stall

import "testing"

func TestSyscallString(t *testing.T) {
	for want, s := range map[string]Syscall{
		"read(/proc/slabinfo)": {Name: "read", Path: "/proc/slabinfo"},
		"getdents64(fd -1)":    {Name: "getdents64", Args: [3]uint64{0xffffffff}},
		"bpf()":                {Name: "bpf", Args: [3]uint64{10}},
		"syscall_999()":        {Name: "syscall_999"},
		"read(/sys/fs/cgroup/memory/…/memory.stat)":                                       {Name: "read", Path: "/sys/fs/cgroup/memory/kubepods/burstable/pod1b2c/0123456789abcdef/memory.stat"},
		"read(/0123456789012345678901234567890123456789012345678901234567890123456789/f)": {Name: "read", Path: "/0123456789012345678901234567890123456789012345678901234567890123456789/f"},
	} {
		if got := s.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
