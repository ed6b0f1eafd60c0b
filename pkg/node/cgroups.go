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

// Cgroups tell what reading the files of memory cgroups costs.
type Cgroups struct {
	Dir        string        // of the hierarchy; empty if there is none
	Dying      int           // dead cgroups below it that something still holds, if DyingKnown
	DyingKnown bool          // false in a container that is shown no more than its own part
	Read       time.Duration // that one read of its memory.stat took
}

const cgroupMounts = "/sys/fs/cgroup"

// cgroups looks at the hierarchy with the memory controller.
func (f Files) cgroups() Cgroups {
	file, ok := f.memoryStat()
	if !ok {
		return Cgroups{}
	}
	start := time.Now()
	if _, ok := f.read(file); !ok {
		return Cgroups{}
	}
	took := time.Since(start)
	found, ok := f.dying(file)
	return Cgroups{Dir: path.Dir(file), Dying: found.count, DyingKnown: ok, Read: took}
}

// memoryStat finds memory.stat of the highest group there is: in version 2, alone or in a
// hybrid, or in version 1.
func (f Files) memoryStat() (file string, ok bool) {
	for _, dir := range []string{cgroupMounts, cgroupMounts + "/unified", cgroupMounts + "/memory"} {
		file := path.Join(dir, "memory.stat")
		if _, err := fs.Stat(f.Root, strings.TrimPrefix(file, "/")); err == nil {
			return file, true
		}
	}
	return "", false
}

// dying are the dead cgroups of a hierarchy.
type dying struct {
	count      int
	dir        string // where version 2 counts them
	controller string // of version 1, which counts all, dead ones among them
	all, dirs  int
}

// dying counts those of the hierarchy that a file belongs to: in version 2 those below
// the highest directory there is.
func (f Files) dying(file string) (dying, bool) {
	var found dying
	for dir := path.Dir(file); dir != "/" && dir != "."; dir = path.Dir(dir) {
		text, _ := f.read(path.Join(dir, "cgroup.stat"))
		if n, ok := field(text, "nr_dying_descendants"); ok {
			found = dying{count: n, dir: dir}
		}
	}
	if found.dir != "" {
		return found, true
	}
	return f.dyingV1(file)
}

// dyingV1 counts those of a hierarchy of version 1. The kernel counts all its groups in
// /proc/cgroups, so all its directories have to be there: only its root has
// cgroup.sane_behavior (CFTYPE_ONLY_ON_ROOT, kernel/cgroup/cgroup-v1.c).
func (f Files) dyingV1(file string) (dying, bool) {
	mount, _, _ := strings.Cut(strings.TrimPrefix(file, cgroupMounts+"/"), "/")
	dir := path.Join(cgroupMounts, mount)
	if _, root := f.read(path.Join(dir, "cgroup.sane_behavior")); !root {
		return dying{}, false
	}
	controller, _, _ := strings.Cut(mount, ",") // such as cpu,cpuacct
	all, ok := f.groupsV1(controller)
	if !ok {
		return dying{}, false
	}
	dirs, err := f.directories(dir)
	return dying{count: max(0, all-dirs), controller: controller, all: all, dirs: dirs}, err == nil
}

// groupsV1 returns how many groups the hierarchy of version 1 has that a controller is in.
func (f Files) groupsV1(controller string) (int, bool) {
	text, _ := f.read("/proc/cgroups")
	for line := range strings.Lines(text) {
		columns := strings.Fields(line)
		if len(columns) != 4 || columns[0] != controller || columns[1] == "0" { // 0 is version 2
			continue
		}
		all, err := strconv.Atoi(columns[2])
		return all, err == nil
	}
	return 0, false
}

// directories counts a directory and those below it.
func (f Files) directories(dir string) (int, error) {
	dirs := 0
	err := fs.WalkDir(f.Root, strings.TrimPrefix(dir, "/"), func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it vanished meanwhile
		}
		if err == nil && d.IsDir() {
			dirs++
		}
		return err
	})
	return dirs, err
}
