// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestSyscallNumbers compares with what this platform's constants are.
func TestSyscallNumbers(t *testing.T) {
	names := SyscallsOf(runtime.GOARCH)
	if names == nil {
		labtest.Need(t, fmt.Errorf("no table for %s: %w", runtime.GOARCH, errors.ErrUnsupported))
	}
	for number, want := range map[int]string{
		unix.SYS_READ: "read", unix.SYS_PREAD64: "pread64", unix.SYS_GETDENTS64: "getdents64", unix.SYS_BPF: "bpf",
		unix.SYS_MADVISE: "madvise", unix.SYS_SENDMMSG: "sendmmsg", unix.SYS_EPOLL_PWAIT2: "epoll_pwait2",
		unix.SYS_PROCESS_MADVISE: "process_madvise", unix.SYS_IO_URING_ENTER: "io_uring_enter", unix.SYS_CACHESTAT: "cachestat",
	} {
		if got := names.Name(number); got != want {
			t.Errorf("%d is %q, want %q", number, got, want)
		}
	}
}
