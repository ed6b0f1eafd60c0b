// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fork returns in the parent only. The linker checks that the stack is enough for
// what the child calls; it is not in a program built without optimisation (-N).
//
//go:nosplit
//go:norace
func (c *child) fork() (pid uintptr, errno unix.Errno) {
	pid, _, errno = unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if pid == 0 && errno == 0 {
		c.main()
	}
	return pid, errno
}

// main does not return.
//
//go:nosplit
//go:norace
func (c *child) main() {
	errno := c.settle()
	if errno == 0 {
		errno = c.work.do()
	}
	*c.errno = uintptr(errno)
	for {
		unix.RawSyscall6(unix.SYS_EXIT_GROUP, 0, 0, 0, 0, 0, 0)
	}
}

// settle makes the calling process what the child is to be. It ends with its parent.
//
//go:nosplit
//go:norace
func (c *child) settle() unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0, 0)
	if errno == 0 {
		_, _, errno = unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NAME, uintptr(unsafe.Pointer(&c.comm)), 0, 0, 0, 0)
	}
	if errno == 0 {
		_, _, errno = unix.RawSyscall6(unix.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(c.cpu), uintptr(unsafe.Pointer(&c.cpu)), 0, 0, 0)
	}
	if errno == 0 {
		_, _, errno = unix.RawSyscall6(unix.SYS_SCHED_SETATTR, 0, uintptr(unsafe.Pointer(&c.sched)), 0, 0, 0, 0)
	}
	if errno == 0 {
		c.group.enter()
	}
	return errno
}

//go:nosplit
//go:norace
func (w *work) do() unix.Errno {
	switch {
	case w.spin != nil:
		return w.spin.do()
	case w.run != nil:
		return w.run.do()
	case w.read != nil:
		return w.read.do()
	default:
		return w.send.do()
	}
}

// share makes memory for values that children write and the parent reads.
func share[T any](n int) (values []T, release func() error, err error) {
	var zero T
	memory, err := unix.Mmap(-1, 0, n*int(unsafe.Sizeof(zero)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, nil, fmt.Errorf("map shared memory: %w", err)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&memory[0])), n), func() error { return unix.Munmap(memory) }, nil
}
