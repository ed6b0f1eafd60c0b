// SPDX-License-Identifier: Apache-2.0

//go:build linux && guest

package trace

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestCgroupLayouts names the group of a process in every way in which a node may have
// its control groups, of which this one has version 2 at first.
func TestCgroupLayouts(t *testing.T) {
	labtest.NeedRoot(t)
	const root = "/sys/fs/cgroup"
	t.Run("version 2", func(t *testing.T) { testCgroupOfTask(t, true) })
	t.Run("version 2 without CAP_DAC_READ_SEARCH", func(t *testing.T) {
		runtime.LockOSThread() // the thread ends with this
		dropReadSearch(t)
		testCgroupOfTask(t, false)
	})
	remount(t, root, "tmpfs", "")
	t.Cleanup(func() { remount(t, root, "cgroup2", "") })
	t.Run("version 2 elsewhere", func(t *testing.T) { testCgroupOfTask(t, true) })
	t.Run("version 1 for marks", func(t *testing.T) {
		mountAt(t, filepath.Join(root, "net_cls"), "cgroup", "net_cls")
		mountAt(t, filepath.Join(root, "unified"), "cgroup2", "")
		testCgroupOfTask(t, true)
	})
	for _, controllers := range []string{"memory", "cpu,cpuacct", "pids"} {
		t.Run("version 1 for "+controllers, func(t *testing.T) {
			if !hasV1(t, controllers) {
				t.Log("the kernel has it in version 2 alone")
				return
			}
			mountAt(t, filepath.Join(root, controllers), "cgroup", controllers)
			t.Run("alone", func(t *testing.T) { testCgroupOfTask(t, false) })
			t.Run("hybrid", func(t *testing.T) {
				mountAt(t, filepath.Join(root, "unified"), "cgroup2", "")
				testCgroupOfTask(t, false)
			})
		})
	}
}

// remount has another file system at a place.
func remount(t *testing.T, dir, kind, options string) {
	t.Helper()
	if err := unix.Unmount(dir, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", dir, kind, 0, options); err != nil {
		t.Fatal(err)
	}
}

// hasV1 reports whether version 1 has a controller: memory takes CONFIG_MEMCG_V1 (6.11).
func hasV1(t *testing.T, controllers string) bool {
	t.Helper()
	const dir = "/sys/fs/cgroup" // on top of what is there
	err := unix.Mount("none", dir, "cgroup", 0, controllers)
	if errors.Is(err, unix.EINVAL) && controllers == "memory" {
		return false
	}
	if err := errors.Join(err, unix.Unmount(dir, 0)); err != nil {
		t.Fatal(err)
	}
	return true
}

// mountAt mounts until the test ends.
func mountAt(t *testing.T, dir, kind, options string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", dir, kind, 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(unix.Unmount(dir, 0), os.Remove(dir)); err != nil {
			t.Error(err)
		}
	})
}

// dropReadSearch takes CAP_DAC_READ_SEARCH from this thread.
func dropReadSearch(t *testing.T) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		t.Fatal(err)
	}
	sets[0].Effective &^= 1 << unix.CAP_DAC_READ_SEARCH
	if err := unix.Capset(&header, &sets[0]); err != nil {
		t.Fatal(err)
	}
}
