// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/capability"
	"github.com/dropwatch/dropwatch/pkg/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// limited is the variable that makes TestMemlock open a tracer with little locked memory.
const limited = "DROPWATCH_TEST_MEMLOCK"

// TestMemlock opens a tracer as a user who may lock 64 KiB. Since 5.11 that does not
// matter; before, what is missing is named.
func TestMemlock(t *testing.T) {
	if os.Getenv(limited) != "" {
		openLimited(t)
		return
	}
	labtest.NeedRoot(t)
	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestMemlock$", "-test.v")
	cmd.Env = append(os.Environ(), limited+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
		AmbientCaps: []uintptr{uintptr(capability.BPF), uintptr(capability.Perfmon)},
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func openLimited(t *testing.T) {
	const least = 64 << 10
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: least, Max: least}); err != nil {
		t.Fatal(err)
	}
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	_, gone := kernel.AnyTypesByName("bpf_map_memory") // since 5.11
	tracer, err := trace.Open(trace.Config{})
	if gone != nil {
		if err != nil {
			t.Fatal(err)
		}
		if err := tracer.Close(); err != nil {
			t.Error(err)
		}
		return
	}
	var denied *trace.DeniedError
	if !errors.As(err, &denied) || !slices.Equal(denied.Missing, []capability.Capability{capability.SysResource}) || !errors.Is(err, os.ErrPermission) {
		t.Errorf("error %v, want that CAP_SYS_RESOURCE is missing", err)
	}
}
