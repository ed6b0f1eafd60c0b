// SPDX-License-Identifier: Apache-2.0

package node

import (
	"testing"
	"testing/fstest"
)

// TestDyingCgroups has each way to mount control groups.
func TestDyingCgroups(t *testing.T) {
	const (
		onV1 = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t2\t9\t1\nmemory\t4\t70\t1\n"
		onV2 = "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t0\t70\t1\n"
		mine = "/sys/fs/cgroup/memory/a/memory.stat"
	)
	stat := file("nr_descendants 3\nnr_dying_descendants 1500\n")
	v1 := fstest.MapFS{
		"proc/cgroups": file(onV1),
		"sys/fs/cgroup/memory/cgroup.sane_behavior": file("0\n"),
		"sys/fs/cgroup/memory/memory.stat":          file(""),
		"sys/fs/cgroup/memory/a/b/memory.stat":      file(""),
		"sys/fs/cgroup/unified/cgroup.stat":         file("nr_dying_descendants 2\n"),
	}
	bare := fstest.MapFS{ // in a container, whose part of the hierarchy looks like all of it
		"proc/cgroups":                     file(onV1),
		"sys/fs/cgroup/memory/memory.stat": file(""),
	}
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		file  string
		want  string
	}{
		{"version 2", fstest.MapFS{"sys/fs/cgroup/cgroup.stat": stat}, "/sys/fs/cgroup/memory.stat", "1500 dying cgroups below /sys/fs/cgroup"},
		{"version 2, not of one group alone", fstest.MapFS{
			"sys/fs/cgroup/cgroup.stat": stat, "sys/fs/cgroup/a/cgroup.stat": file("nr_dying_descendants 0\n"), "proc/cgroups": file(onV2),
		}, "/sys/fs/cgroup/a/memory.stat", "1500 dying cgroups below /sys/fs/cgroup"},
		{"version 2, a group called memory", fstest.MapFS{
			"sys/fs/cgroup/cgroup.stat": stat, "sys/fs/cgroup/memory/cgroup.stat": file("nr_dying_descendants 0\n"), "proc/cgroups": file(onV2),
		}, "/sys/fs/cgroup/memory/memory.stat", "1500 dying cgroups below /sys/fs/cgroup"},
		{"version 2, by a container's path", fstest.MapFS{
			"sys/fs/cgroup/cgroup.stat": stat, "sys/fs/cgroup/memory.stat": file(""),
		}, "/rootfs/sys/fs/cgroup/a/memory.stat", "1500 dying cgroups below /sys/fs/cgroup"},
		{"hybrid, version 1", v1, mine, "70 cgroups in 3 directories of memory: 67 are dying"},
		{"hybrid, version 2", v1, "/sys/fs/cgroup/unified/a/cpu.stat", "2 dying cgroups below /sys/fs/cgroup/unified"},
		{"version 1, by a container's path", v1, "/rootfs/sys/fs/cgroup/memory/memory.stat", "70 cgroups in 3 directories of memory: 67 are dying"},
		{"version 1, two controllers", fstest.MapFS{
			"proc/cgroups": file(onV1), "sys/fs/cgroup/cpu,cpuacct/cgroup.sane_behavior": file("0\n"),
		}, "/sys/fs/cgroup/cpu,cpuacct/cpu.stat", "9 cgroups in 1 directories of cpu: 8 are dying"},
		{"version 1, the part that a container is shown", bare, mine, ""},
		{"version 1, but the controller is in version 2", fstest.MapFS{
			"proc/cgroups": file(onV2), "sys/fs/cgroup/memory/cgroup.sane_behavior": file("0\n"),
		}, mine, ""},
		{"nothing", fstest.MapFS{}, mine, ""},
	} {
		if got := (Root{tt.files}).DyingCgroups(tt.file); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	for name, want := range map[string]struct {
		files fstest.MapFS
		Cgroups
	}{
		"hybrid":    {v1, Cgroups{Dir: "/sys/fs/cgroup/memory", Dying: 67, DyingKnown: true}},
		"container": {bare, Cgroups{Dir: "/sys/fs/cgroup/memory"}},
		"nothing":   {fstest.MapFS{}, Cgroups{}},
	} {
		got := (Root{want.files}).cgroups()
		if got.Read = 0; got != want.Cgroups {
			t.Errorf("%s: got %+v, want %+v", name, got, want.Cgroups)
		}
	}
}
