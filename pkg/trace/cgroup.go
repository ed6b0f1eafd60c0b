// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// cgroups names control groups. BPF programs report the ID of a task's group in the version 2
// hierarchy (bpf_get_current_cgroup_id). If version 1 limits tasks, that is not the group of
// their container, but the root or the group of the service that runs containers. In that case
// the group is read from /proc/PID/cgroup.
type cgroups struct {
	root  string // mount point of the version 2 hierarchy; empty if it is not mounted
	v1    bool   // version 1 limits tasks, alone or in the hybrid layout
	tasks tasks
	names map[uint64]string // by ID
}

const (
	maxCgroups   = 1 << 12
	kernfsHandle = 0xfe // FILEID_KERNFS, include/linux/exportfs.h: the handle is the ID
)

// newCgroups detects the layout of the hierarchies.
func newCgroups() cgroups {
	own, _ := os.ReadFile("/proc/self/cgroup") // absent without CONFIG_CGROUPS
	_, v1 := groupOf(string(own))
	return cgroups{root: cgroupRoot(), v1: v1, tasks: newTasks(), names: map[uint64]string{}}
}

// of returns the path of the group that a process was in at a time of CLOCK_MONOTONIC. id is
// the group's ID in version 2. The path is empty if it is not certain.
func (c *cgroups) of(id uint64, tgid uint32, at time.Duration) string {
	if c.v1 || c.root == "" {
		return c.tasks.group(tgid, at)
	}
	if name := c.name(id); name != "" {
		return name
	}
	if path := c.tasks.group(tgid, at); path != "" && c.is(path, id) {
		return path
	}
	return ""
}

// is reports whether a version 2 path is that of a group. It accepts a path outside the cgroup
// namespace, because it cannot be checked.
func (c *cgroups) is(path string, id uint64) bool {
	if path == "/.." || strings.HasPrefix(path, "/../") {
		return true
	}
	var dir unix.Stat_t
	return unix.Stat(filepath.Join(c.root, path), &dir) == nil && dir.Ino == id
}

// name returns the path of a group below the root of version 2. It returns an empty string if
// the group is deleted, if it is outside this cgroup namespace, or if the kernel refuses, as
// without CAP_DAC_READ_SEARCH.
func (c *cgroups) name(id uint64) string {
	if name, ok := c.names[id]; ok {
		return name
	}
	name := c.find(id)
	if len(c.names) < maxCgroups {
		c.names[id] = name
	}
	return name
}

// cgroupRoot returns a mount point of the root of version 2, or of the root of this cgroup
// namespace.
func cgroupRoot() string {
	mounts, _ := os.ReadFile("/proc/self/mountinfo") // always there
	for line := range strings.Lines(string(mounts)) {
		mount, kind, _ := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if len(fields) < 5 || fields[3] != "/" || !strings.HasPrefix(kind, "cgroup2 ") {
			continue
		}
		var fs unix.Statfs_t // another file system may be mounted over it
		if unix.Statfs(fields[4], &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
			return fields[4]
		}
	}
	return ""
}

// find opens the group by its ID and reads the path of the descriptor.
func (c *cgroups) find(id uint64) string {
	root, err := os.Open(c.root)
	if err != nil {
		return ""
	}
	defer root.Close()
	handle := unix.NewFileHandle(kernfsHandle, binary.NativeEndian.AppendUint64(nil, id))
	group, err := unix.OpenByHandleAt(int(root.Fd()), handle, unix.O_PATH|unix.O_CLOEXEC)
	if err != nil {
		return ""
	}
	defer unix.Close(group)
	path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", group))
	if err != nil {
		return ""
	}
	path, inside := strings.CutPrefix(path, c.root) // outside the mount the path is /
	if path == "" {
		path = "/"
	}
	if !inside {
		path = ""
	}
	return event.Text([]byte(path))
}
