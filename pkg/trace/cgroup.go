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

// cgroups names control groups. BPF programs tell a task's group in version 2 of the
// hierarchy, by its id (bpf_get_current_cgroup_id). Where version 1 limits tasks that is
// not the group of their container: it is the root, or that of the service that runs
// containers. Then only the task itself tells.
type cgroups struct {
	root  string // where version 2 of the hierarchy is mounted; empty if nowhere
	v1    bool   // version 1 limits tasks: alone, or in a hybrid of both
	tasks tasks
	names map[uint64]string // by id
}

const (
	maxCgroups   = 1 << 12
	kernfsHandle = 0xfe // FILEID_KERNFS, include/linux/exportfs.h: a handle is the id
)

// newCgroups looks at how this system is set up.
func newCgroups() cgroups {
	own, _ := os.ReadFile("/proc/self/cgroup") // absent without control groups
	_, v1 := groupOf(string(own))
	return cgroups{root: cgroupRoot(), v1: v1, tasks: newTasks(), names: map[uint64]string{}}
}

// of returns the path of the group that a process was in at a moment of
// CLOCK_MONOTONIC, by its id in version 2. It is empty where that is not certain.
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

// is reports whether a path of version 2 is that of a group. What is outside of a
// cgroup namespace cannot be looked at, and is believed.
func (c *cgroups) is(path string, id uint64) bool {
	if path == "/.." || strings.HasPrefix(path, "/../") {
		return true
	}
	var dir unix.Stat_t
	return unix.Stat(filepath.Join(c.root, path), &dir) == nil && dir.Ino == id
}

// name returns the path of a group below the root of version 2, or an empty text for
// one that is gone or outside of this cgroup namespace, or if the kernel does not tell,
// as without CAP_DAC_READ_SEARCH.
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

// cgroupRoot returns where version 2 is mounted from its root on, or from that of this
// cgroup namespace.
func cgroupRoot() string {
	mounts, _ := os.ReadFile("/proc/self/mountinfo") // always there
	for line := range strings.Lines(string(mounts)) {
		mount, kind, _ := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if len(fields) < 5 || fields[3] != "/" || !strings.HasPrefix(kind, "cgroup2 ") {
			continue
		}
		var fs unix.Statfs_t // something else may be mounted over it
		if unix.Statfs(fields[4], &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
			return fields[4]
		}
	}
	return ""
}

// find opens the group by its id and asks the kernel what it opened.
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
	path, inside := strings.CutPrefix(path, c.root) // else the kernel says /
	if path == "" {
		path = "/"
	}
	if !inside {
		path = ""
	}
	return event.Text([]byte(path))
}
