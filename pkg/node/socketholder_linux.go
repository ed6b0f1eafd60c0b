// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/netns"
)

// findHolders finds the processes that have files open. The keys of links are the texts of
// links in /proc/PID/fd; their values are the keys of the result. It leaves out processes that
// end during the search. With an error it also returns the holders found.
func findHolders(links map[string][]int) (holders map[int][]Process, denied error) {
	holders = map[int][]Process{}
	pids, err := netns.ListPIDs()
	if err != nil {
		return holders, err
	}
	for _, pid := range pids {
		dir := fmt.Sprintf("/proc/%d/fd", pid)
		names, err := namesIn(dir)
		if errors.Is(err, fs.ErrPermission) {
			denied = fmt.Errorf("list open files of other users' processes: %w", err)
		}
		held := map[string]bool{}
		for _, name := range names {
			if link, err := os.Readlink(dir + "/" + name); err == nil && links[link] != nil {
				held[link] = true
			}
		}
		for link := range held {
			for _, i := range links[link] {
				holders[i] = append(holders[i], Process{PID: pid, Comm: commOf(pid)})
			}
		}
	}
	return holders, denied
}

func namesIn(path string) ([]string, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}

// commOf returns the name of a process, empty if it has ended.
func commOf(pid int) string {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return event.Text(bytes.TrimSuffix(comm, []byte("\n")))
}
