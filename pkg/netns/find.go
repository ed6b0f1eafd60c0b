// SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
)

// Place says how to reach a network namespace.
type Place struct {
	Inode uint32
	Name  string // as Names.Name returns it
	Path  string // of its nsfs file
	Proc  string // its proc/PID/net, relative to the root; empty if no process is in it
}

// Gone reports whether Path no longer leads to the namespace.
func (p Place) Gone() bool { return !isAt(p.Path, p.Inode) }

// Inhabited reports whether the process of Proc is still in the namespace.
func (p Place) Inhabited() bool {
	return p.Proc != "" && isAt("/"+path.Dir(p.Proc)+"/ns/net", p.Inode)
}

func isAt(file string, number uint32) bool {
	inode, err := Inode(file)
	return err == nil && inode == number
}

// Find returns the namespaces that have a process or a name, in order of their inodes. It
// does not find a namespace that only a thread, an open file or a mount elsewhere keeps
// alive. denied says that permission to look at some processes is missing.
func Find() (found []Place, denied, err error) {
	pids, err := ListPIDs()
	if err != nil {
		return nil, nil, err
	}
	byInode := map[uint32]Place{}
	for _, file := range files() {
		if inode, err := Inode(file); err == nil {
			byInode[inode] = Place{Inode: inode, Name: nameOf(file), Path: file}
		}
	}
	for _, pid := range pids {
		file := fmt.Sprintf("/proc/%d/ns/net", pid)
		inode, err := Inode(file)
		if errors.Is(err, fs.ErrPermission) {
			denied = fmt.Errorf("stat network namespaces of other users' processes: %w", err)
		}
		place := byInode[inode]
		if err != nil || place.Proc != "" {
			continue
		}
		if place.Path == "" { // a named namespace keeps the path of its name
			place.Path = file
		}
		if pid == 1 {
			place.Name = Host
		}
		place.Inode, place.Proc = inode, fmt.Sprintf("proc/%d/net", pid)
		byInode[inode] = place
	}
	for _, place := range byInode {
		found = append(found, place)
	}
	slices.SortFunc(found, func(a, b Place) int { return int(int64(a.Inode) - int64(b.Inode)) })
	return found, denied, nil
}

// ListPIDs returns the PIDs in /proc in ascending order: older processes first, unless
// PIDs wrapped.
func ListPIDs() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}
