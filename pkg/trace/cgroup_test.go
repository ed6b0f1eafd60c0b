// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestCgroupNames names groups of version 2 by their ids.
func TestCgroupNames(t *testing.T) {
	labtest.NeedRoot(t)
	root := version2(t)
	dir := makeGroup(t, filepath.Join(root, "dropwatch test"))
	names := cgroups{root: root, names: map[uint64]string{}}
	for id, want := range map[uint64]string{idOf(t, dir): "/dropwatch test", 1: "/", 1 << 60: "", 0: ""} {
		if got := names.of(id, 0, 0); got != want {
			t.Errorf("group %d is %q, want %q", id, got, want)
		}
	}
	id := idOf(t, dir)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if got := names.of(id, 0, 0); got != "/dropwatch test" {
		t.Errorf("what was found once is %q", got)
	}
	if got := (&cgroups{root: root, names: map[uint64]string{}}).of(id, 0, 0); got != "" {
		t.Errorf("the group that is gone is %q", got)
	}
}

// TestCgroupNamespace: a process in a cgroup namespace, as containers have it, sees the
// groups outside as if they were the root. They are not called that.
func TestCgroupNamespace(t *testing.T) {
	labtest.NeedRoot(t)
	root := version2(t)
	inside := makeGroup(t, filepath.Join(root, fmt.Sprintf("dropwatch-inside-%d", os.Getpid())))
	outside := makeGroup(t, filepath.Join(root, fmt.Sprintf("dropwatch-outside-%d", os.Getpid())))
	pid, _, _ := resident(t, []string{outside})
	group, err := os.Open(inside)
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestInCgroupNamespace$", "-test.v")
	cmd.Env = append(os.Environ(), asInside+"="+fmt.Sprintf("%d %s %d", idOf(t, outside), filepath.Base(outside), pid))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		UseCgroupFD: true, CgroupFD: int(group.Fd()), Unshareflags: unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP,
	}
	text, err := cmd.CombinedOutput()
	if t.Logf("%s", text); err != nil {
		t.Error(err)
	}
}

const asInside = "DROPWATCH_TEST_INSIDE"

// TestInCgroupNamespace is the process that TestCgroupNamespace starts.
func TestInCgroupNamespace(t *testing.T) {
	var id uint64
	var outside string
	var pid uint32
	if n, _ := fmt.Sscan(os.Getenv(asInside), &id, &outside, &pid); n != 3 {
		return
	}
	root := mountVersion2(t)
	names := newCgroups()
	for id, want := range map[uint64]string{idOf(t, root): "/", id: "", 1: ""} {
		if got := names.name(id); names.root != root || got != want {
			t.Errorf("from %s group %d is %q, want %q", names.root, id, got, want)
		}
	}
	if got := names.of(id, pid, clock(unix.CLOCK_MONOTONIC)+clockTick); got != "/../"+outside {
		t.Errorf("the group outside is %q, want %q", got, "/../"+outside)
	}
}

// TestCgroupUnmounted believes the process.
func TestCgroupUnmounted(t *testing.T) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	names := cgroups{tasks: newTasks(), names: map[uint64]string{}}
	want, _ := groupOf(string(own))
	if got := names.of(1, uint32(os.Getpid()), clock(unix.CLOCK_MONOTONIC)+clockTick); got != want {
		t.Errorf("this process is in %q, want %q", got, want)
	}
}

// version2 returns where version 2 is mounted. It is mounted for the test only where it
// is not, since each mount without options resets the options of all (apply_cgroup_root_flags,
// kernel/cgroup/cgroup.c).
func version2(t *testing.T) string {
	t.Helper()
	if root := cgroupRoot(); root != "" {
		return root
	}
	return mountVersion2(t)
}

func mountVersion2(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("", "dropwatch") // never removed with what is in it
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", root, "cgroup2", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(unix.Unmount(root, unix.MNT_DETACH), os.Remove(root)); err != nil {
			t.Error(err)
		}
	})
	return root
}

// makeGroup makes a group that ends with the test.
func makeGroup(t *testing.T, dir string) string {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	return dir
}

// idOf returns the ID of a group, as bpf_get_current_cgroup_id returns it.
func idOf(t *testing.T, dir string) uint64 {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Stat(dir, &stat); err != nil {
		t.Fatal(err)
	}
	return stat.Ino
}
