// SPDX-License-Identifier: Apache-2.0

//go:build linux

package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
)

// netnsPlace is where to reach a network namespace.
type netnsPlace struct {
	inode uint32
	name  string // as NetnsNames has it
	path  string // of its nsfs file
	proc  string // its /proc/net, from the root; empty if no process is in it
}

// gone says that the namespace is not reached there any more.
func (p netnsPlace) gone() bool { return !isNetns(p.path, p.inode) }

// inhabited says that the process is still in the namespace.
func (p netnsPlace) inhabited() bool {
	return p.proc != "" && isNetns("/"+path.Dir(p.proc)+"/ns/net", p.inode)
}

func isNetns(file string, number uint32) bool {
	inode, err := inodeOf(file)
	return err == nil && inode == number
}

// findNetns finds the namespaces that processes are in, or that have a name, in order
// of their numbers. Of those where only a thread is, an open file or a mount elsewhere,
// it does not know. What it must not see is in denied.
func findNetns() (found []netnsPlace, denied, err error) {
	pids, err := pidsThereAre()
	if err != nil {
		return nil, nil, err
	}
	byInode := map[uint32]netnsPlace{}
	for _, file := range netnsFiles() {
		if inode, err := inodeOf(file); err == nil {
			byInode[inode] = netnsPlace{inode: inode, name: netnsName(file), path: file}
		}
	}
	for _, pid := range pids {
		file := fmt.Sprintf("/proc/%d/ns/net", pid)
		inode, err := inodeOf(file)
		if errors.Is(err, fs.ErrPermission) {
			denied = fmt.Errorf("look at the network namespaces of others' processes: %w", err)
		}
		place := byInode[inode]
		if err != nil || place.proc != "" {
			continue
		}
		if place.path == "" { // one that has a name is reached by that
			place.path = file
		}
		if pid == 1 {
			place.name = hostNetns
		}
		place.inode, place.proc = inode, fmt.Sprintf("proc/%d/net", pid)
		byInode[inode] = place
	}
	for _, place := range byInode {
		found = append(found, place)
	}
	slices.SortFunc(found, func(a, b netnsPlace) int { return int(int64(a.inode) - int64(b.inode)) })
	return found, denied, nil
}

// pidsThereAre lists processes, the longest-lived first as far as numbers tell.
func pidsThereAre() ([]int, error) {
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
