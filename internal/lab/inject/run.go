// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// A testRun runs a BPF program once, in the system call. It is the beginning of the test
// member of union bpf_attr (include/uapi/linux/bpf.h).
type testRun struct {
	program uint32 // file descriptor
	result  uint32 // what the program returned
}

// newTestRun describes a run of a program.
func newTestRun(p *ebpf.Program) *testRun {
	return &testRun{program: uint32(p.FD())}
}

//go:nosplit
//go:norace
func (r *testRun) do() unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_BPF, unix.BPF_PROG_TEST_RUN, uintptr(unsafe.Pointer(r)), unsafe.Sizeof(*r), 0, 0, 0)
	if errno == 0 && int32(r.result) < 0 {
		errno = unix.Errno(-int32(r.result))
	}
	return errno
}
