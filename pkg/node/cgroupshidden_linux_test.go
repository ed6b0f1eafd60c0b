// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestDyingCgroupsHidden: if not all directories of version 1 are visible, the number of dying
// cgroups is unknown.
func TestDyingCgroupsHidden(t *testing.T) {
	labtest.NeedRoot(t)
	root := Root{os.DirFS("/")}
	file, _ := root.memoryStat()
	dir := filepath.Dir(file)
	if filepath.Base(dir) != "memory" {
		t.Logf("version 2, at %q, counts the dead ones itself", dir)
		return
	}
	group := filepath.Join(dir, fmt.Sprintf("dropwatch-closed-%d", os.Getpid()))
	if err := os.Mkdir(group, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(group) })

	t.Run("of a container", func(t *testing.T) {
		part := Root{os.DirFS(partOf(t, group))}
		if got := part.cgroups(); got.Dir != dir || got.DyingKnown || got.Dying != 0 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("closed", func(t *testing.T) {
		runtime.LockOSThread() // the thread ends with this
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), 65534, ^uintptr(0)); errno != 0 {
			t.Fatal(errno)
		}
		if got := root.cgroups(); got.Dir != dir || got.DyingKnown {
			t.Errorf("%+v", got)
		}
	})
}

// partOf returns a root under which a group is mounted where all of version 1 should be.
func partOf(t *testing.T, group string) string {
	t.Helper()
	root, err := os.MkdirTemp("", "dropwatch") // never removed with what is in it
	if err != nil {
		t.Fatal(err)
	}
	memory, proc := filepath.Join(root, cgroupMounts, "memory"), filepath.Join(root, "proc")
	places := []string{memory, proc}
	for _, dir := range places {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(unix.Mount(group, memory, "", unix.MS_BIND, ""), unix.Mount("/proc", proc, "", unix.MS_BIND, "")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, dir := range places {
			if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
				t.Error(err)
				return
			}
		}
		for _, dir := range []string{proc, memory, filepath.Dir(memory), filepath.Join(root, "sys/fs"), filepath.Join(root, "sys"), root} {
			if err := os.Remove(dir); err != nil {
				t.Error(err)
			}
		}
	})
	return root
}
