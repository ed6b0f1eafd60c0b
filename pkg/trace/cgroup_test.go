// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/lab/labtest"
)

func TestCgroupNames(t *testing.T) {
	labtest.NeedRoot(t)
	root := t.TempDir()
	if err := unix.Mount("none", root, "cgroup2", 0, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(root, unix.MNT_DETACH)
	dir := filepath.Join(root, "dropwatch test")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(dir)
	var stat unix.Stat_t
	if err := unix.Stat(dir, &stat); err != nil {
		t.Fatal(err)
	}
	names := cgroups{root: root}
	for id, want := range map[uint64]string{stat.Ino: "/dropwatch test", 1: "/", 1 << 60: "", 0: ""} {
		if got := names.name(id); got != want {
			t.Errorf("group %d is %q, want %q", id, got, want)
		}
	}
	if got := names.of(stat.Ino, 0); got != "/dropwatch test" {
		t.Errorf("the group is %q", got)
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	if got := names.of(1, uint32(os.Getpid())); got == "" || got != longestPath(string(own)) {
		t.Errorf("this process is in %q", got)
	}
}

func TestLongestPath(t *testing.T) {
	const v1 = "12:memory:/kubepods/pod1/c0ffee\n4:cpu,cpuacct:/\n0::/system.slice\n"
	for text, want := range map[string]string{
		v1: "/kubepods/pod1/c0ffee", "0::/\n": "/", "": "", "damaged\n": "", "1:name=a:b:/with:colons\n": "b:/with:colons",
	} {
		if got := longestPath(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
