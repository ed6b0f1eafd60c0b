// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

// Cgroups says how expensive it is to read the files of memory cgroups.
type Cgroups struct {
	Dir        string        // of the hierarchy; empty without the memory controller
	Dying      int           // deleted cgroups below Dir that are still referenced, if DyingKnown
	DyingKnown bool          // false in a container that sees only its own part of the hierarchy
	Read       time.Duration // time that one read of memory.stat took
}

const cgroupMounts = "/sys/fs/cgroup"

// cgroups reads the hierarchy with the memory controller.
func (r Root) cgroups() Cgroups {
	file, ok := r.memoryStat()
	if !ok {
		return Cgroups{}
	}
	start := time.Now()
	if _, ok := r.read(file); !ok {
		return Cgroups{}
	}
	took := time.Since(start)
	found, ok := r.dying(file)
	return Cgroups{Dir: path.Dir(file), Dying: found.count, DyingKnown: ok, Read: took}
}

// memoryStat returns the path of memory.stat in the topmost visible cgroup: of version 2, also
// in the hybrid layout, else of version 1.
func (r Root) memoryStat() (file string, ok bool) {
	for _, dir := range []string{cgroupMounts, cgroupMounts + "/unified", cgroupMounts + "/memory"} {
		file := path.Join(dir, "memory.stat")
		if _, err := fs.Stat(r.FS, strings.TrimPrefix(file, "/")); err == nil {
			return file, true
		}
	}
	return "", false
}

// dying counts the deleted cgroups of a hierarchy that are still referenced.
type dying struct {
	count      int
	dir        string // version 2: the directory whose cgroup.stat counts them
	controller string // version 1: the controller
	all, dirs  int    // version 1: all cgroups, deleted ones included, and the directories
}

// dying counts the dying cgroups of the hierarchy that a file belongs to, on version 2 those
// below the topmost visible directory.
func (r Root) dying(file string) (dying, bool) {
	var found dying
	for dir := path.Dir(file); dir != "/" && dir != "."; dir = path.Dir(dir) {
		text, _ := r.read(path.Join(dir, "cgroup.stat"))
		if n, ok := field(text, "nr_dying_descendants"); ok {
			found = dying{count: n, dir: dir}
		}
	}
	if found.dir != "" {
		return found, true
	}
	return r.dyingV1(file)
}

// dyingV1 counts the dying cgroups of a version 1 hierarchy: the cgroups in /proc/cgroups
// minus the directories. This needs the whole hierarchy, whose root is the only directory with
// cgroup.sane_behavior (CFTYPE_ONLY_ON_ROOT, kernel/cgroup/cgroup-v1.c).
func (r Root) dyingV1(file string) (dying, bool) {
	mount, _, _ := strings.Cut(strings.TrimPrefix(file, cgroupMounts+"/"), "/")
	dir := path.Join(cgroupMounts, mount)
	if _, root := r.read(path.Join(dir, "cgroup.sane_behavior")); !root {
		return dying{}, false
	}
	controller, _, _ := strings.Cut(mount, ",") // such as cpu,cpuacct
	all, ok := r.groupsV1(controller)
	if !ok {
		return dying{}, false
	}
	dirs, err := r.directories(dir)
	return dying{count: max(0, all-dirs), controller: controller, all: all, dirs: dirs}, err == nil
}

// groupsV1 returns the number of cgroups in the version 1 hierarchy of a controller.
func (r Root) groupsV1(controller string) (int, bool) {
	text, _ := r.read("/proc/cgroups")
	for line := range strings.Lines(text) {
		columns := strings.Fields(line)
		if len(columns) != 4 || columns[0] != controller || columns[1] == "0" { // hierarchy 0 is version 2
			continue
		}
		all, err := strconv.Atoi(columns[2])
		return all, err == nil
	}
	return 0, false
}

// directories counts a directory and all directories below it.
func (r Root) directories(dir string) (int, error) {
	dirs := 0
	err := fs.WalkDir(r.FS, strings.TrimPrefix(dir, "/"), func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed during the walk
		}
		if err == nil && d.IsDir() {
			dirs++
		}
		return err
	})
	return dirs, err
}
