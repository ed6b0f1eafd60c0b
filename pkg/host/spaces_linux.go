// SPDX-License-Identifier: Apache-2.0

//go:build linux

package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// LiveSources are those of this machine: its files, and each network namespace that has
// a name or a process and that may be opened. Namespaces are entered by a thread only
// while something is read there.
func LiveSources() (Sources, error) {
	own, err := nsInode("/proc/thread-self/ns/net")
	if err != nil {
		return Sources{}, fmt.Errorf("find own network namespace: %w", err)
	}
	found := &spaces{seen: map[uint32]int{}}
	found.add("", own, "")
	found.named()
	found.ofProcesses()
	var notes []string
	if found.closed > 0 {
		notes = append(notes, fmt.Sprintf("in which network namespaces %d of the processes are: %v", found.closed, fs.ErrPermission))
	}
	return Sources{Root: os.DirFS("/"), Spaces: found.all, Notes: notes}, nil
}

// spaces collects namespaces, each once.
type spaces struct {
	all    []Space
	seen   map[uint32]int // index in all, by inode
	closed int            // processes whose namespace may not be looked at
}

// add takes a namespace in, or gives a name to one that has none.
func (s *spaces) add(path string, inode uint32, name string) {
	if i, ok := s.seen[inode]; ok {
		if s.all[i].Netns.Name == "" {
			s.all[i].Netns.Name = name
		}
		return
	}
	s.seen[inode] = len(s.all)
	s.all = append(s.all, Space{
		Netns:  event.Netns{Inode: inode, Name: name},
		Path:   path,
		Files:  within{path},
		Reader: &liveLinks{path: path, known: s},
	})
}

// named finds the host's and those that ip-netns and Docker give names to.
func (s *spaces) named() {
	if inode, err := nsInode("/proc/1/ns/net"); err == nil {
		s.add("/proc/1/ns/net", inode, "host")
	}
	for _, pattern := range []string{"/run/netns/*", "/run/docker/netns/*"} {
		paths, _ := filepath.Glob(pattern) // fails for a bad pattern alone
		for _, path := range paths {
			if inode, err := nsInode(path); err == nil {
				s.add(path, inode, event.Text([]byte(filepath.Base(path))))
			}
		}
	}
}

// ofProcesses finds those that have nothing but processes inside.
func (s *spaces) ofProcesses() {
	dirs, _ := filepath.Glob("/proc/[0-9]*") // fails for a bad pattern alone
	for _, dir := range dirs {
		path := dir + "/ns/net"
		inode, err := nsInode(path)
		switch {
		case err == nil:
			s.add(path, inode, "")
		case errors.Is(err, fs.ErrPermission):
			s.closed++
		}
	}
}

// nsInode returns the number that names the namespace of a file.
func nsInode(path string) (uint32, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("stat %s: %w", path, errors.ErrUnsupported)
	}
	return uint32(stat.Ino), nil
}
