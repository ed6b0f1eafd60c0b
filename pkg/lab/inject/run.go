// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// A testRun runs a BPF program once, in the system call. Up to the frame it is the
// beginning of the test member of union bpf_attr (include/uapi/linux/bpf.h).
type testRun struct {
	program    uint32 // file descriptor
	result     uint32 // what the program returned
	dataLength uint32 // of the frame, if the program wants one
	_          uint32 // data_size_out
	data       uint64 // address of the frame
	frame      [64]byte
}

// testRunLength is how much of a testRun the kernel is shown.
const testRunLength = unsafe.Offsetof(testRun{}.frame)

// newTestRun describes a run of a program, over an empty frame if it wants one.
func newTestRun(p *ebpf.Program) *testRun {
	r := &testRun{program: uint32(p.FD())}
	if p.Type() == ebpf.XDP {
		r.dataLength = uint32(len(r.frame))
	}
	return r
}

//go:nosplit
//go:norace
func (r *testRun) do() unix.Errno {
	if r.dataLength > 0 {
		r.data = uint64(uintptr(unsafe.Pointer(&r.frame)))
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_BPF, unix.BPF_PROG_TEST_RUN, uintptr(unsafe.Pointer(r)), testRunLength, 0, 0, 0)
	if errno == 0 && int32(r.result) < 0 {
		errno = unix.Errno(-int32(r.result))
	}
	return errno
}
