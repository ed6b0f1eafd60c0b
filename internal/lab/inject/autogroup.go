// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An autogroup is the session of a child of its own. Where the scheduler divides a
// CPU between sessions first, a nice value counts among the processes of one session
// only, and the session has another among sessions (kernel/sched/autogroup.c).
type autogroup struct {
	path [32]byte
	nice [4]byte
	len  int // of nice
}

func newAutogroup(nice int) autogroup {
	var g autogroup
	copy(g.path[:], "/proc/self/autogroup")
	g.len = copy(g.nice[:], strconv.Itoa(nice))
	return g
}

// enter makes the calling process a session. Kernels without autogroups lack the
// file, and need none of this.
//
//go:nosplit
//go:norace
func (g *autogroup) enter() {
	unix.RawSyscall6(unix.SYS_SETSID, 0, 0, 0, 0, 0, 0)
	fd, _, errno := unix.RawSyscall6(unix.SYS_OPENAT, 0, uintptr(unsafe.Pointer(&g.path)), unix.O_WRONLY, 0, 0, 0)
	if errno == 0 {
		unix.RawSyscall6(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(&g.nice)), uintptr(g.len), 0, 0, 0)
	}
}
