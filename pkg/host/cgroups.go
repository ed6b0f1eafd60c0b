// SPDX-License-Identifier: Apache-2.0

package host

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

// Cgroups tell what reading the files of memory cgroups costs.
type Cgroups struct {
	Dir   string        // of the hierarchy; empty if there is none
	Dying int           // dead cgroups below it that something still holds
	Read  time.Duration // that one read of its memory.stat took
}

// cgroups looks at the hierarchy with the memory controller.
func (f Files) cgroups() Cgroups {
	for _, dir := range []string{"/sys/fs/cgroup/memory", "/sys/fs/cgroup"} {
		file := path.Join(dir, "memory.stat")
		start := time.Now()
		if _, ok := f.read(file); !ok {
			continue
		}
		took := time.Since(start)
		found, ok := f.dying(file)
		if !ok {
			return Cgroups{Dir: dir, Read: took}
		}
		return Cgroups{Dir: dir, Dying: found.count, Read: took}
	}
	return Cgroups{}
}

// dying are the dead cgroups of a hierarchy.
type dying struct {
	count      int
	dir        string // where version 2 counts them
	controller string // of version 1, which counts all, dead ones among them
	all, dirs  int
}

func (f Files) dying(file string) (dying, bool) {
	for dir := path.Dir(file); dir != "/" && dir != "."; dir = path.Dir(dir) {
		text, ok := f.read(path.Join(dir, "cgroup.stat"))
		if !ok {
			continue
		}
		if n, ok := field(text, "nr_dying_descendants"); ok {
			return dying{count: n, dir: dir}, true
		}
	}
	return f.dyingV1(file)
}

func (f Files) dyingV1(file string) (dying, bool) {
	controller, _, _ := strings.Cut(strings.TrimPrefix(file, "/sys/fs/cgroup/"), "/")
	text, _ := f.read("/proc/cgroups")
	for line := range strings.Lines(text) {
		columns := strings.Fields(line)
		if len(columns) != 4 || columns[0] != controller {
			continue
		}
		all, err := strconv.Atoi(columns[2])
		if err != nil {
			return dying{}, false
		}
		dirs := 0
		_ = fs.WalkDir(f.Root, "sys/fs/cgroup/"+controller, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs++
			}
			return nil // what vanishes meanwhile is not there
		})
		return dying{count: max(0, all-dirs), controller: controller, all: all, dirs: dirs}, true
	}
	return dying{}, false
}
