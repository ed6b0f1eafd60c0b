// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// cgroups names control groups.
type cgroups struct {
	root  string // where version 2 of the hierarchy is mounted; empty until looked for
	names map[uint64]string
}

const (
	maxCgroups   = 1 << 12
	kernfsHandle = 0xfe // FILEID_KERNFS, include/linux/exportfs.h: a handle is the id
)

// of returns the path of a task's group: that of the id in version 2 of the hierarchy,
// else what the task itself says while it lives. It is empty if neither tells.
func (c *cgroups) of(id uint64, tgid uint32) string {
	if name := c.name(id); name != "" && name != "/" {
		return name
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", tgid))
	if err != nil {
		return ""
	}
	return event.Text([]byte(longestPath(string(text))))
}

// longestPath returns the path of those in a /proc/PID/cgroup that tells most: on
// version 1 a group may be the root in one hierarchy and a container in another.
func longestPath(text string) string {
	longest := ""
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) == 3 && len(fields[2]) > len(longest) {
			longest = fields[2]
		}
	}
	return longest
}

// name returns the path of a group below the root of version 2, or an empty text for
// one that is gone or of another hierarchy.
func (c *cgroups) name(id uint64) string {
	if name, ok := c.names[id]; ok || id == 0 {
		return name
	}
	if c.names == nil {
		c.names = map[uint64]string{}
	}
	if c.root == "" {
		c.root = cgroupRoot()
	}
	name := c.find(id)
	if len(c.names) < maxCgroups {
		c.names[id] = name
	}
	return name
}

// cgroupRoot returns where the hierarchy is mounted: alone, or beside those of
// version 1.
func cgroupRoot() string {
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var fs unix.Statfs_t
		if unix.Statfs(root, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
			return root
		}
	}
	return ""
}

// find opens the group by its id and asks the kernel what it opened.
func (c *cgroups) find(id uint64) string {
	if c.root == "" {
		return ""
	}
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
	path = strings.TrimPrefix(path, c.root)
	if path == "" {
		path = "/"
	}
	return event.Text([]byte(path))
}
