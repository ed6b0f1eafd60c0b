// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// namespaces names network namespaces by the inode of their nsfs files.
type namespaces struct {
	names map[uint32]string
	read  time.Time
}

// name returns the name of a namespace, or an empty string if it has none.
// Unknown ones have the names read anew, at most once a second.
func (n *namespaces) name(inode uint32) string {
	name, ok := n.names[inode]
	if !ok && time.Since(n.read) > time.Second {
		n.names, n.read = readNamespaces(), time.Now()
		name = n.names[inode]
	}
	return name
}

// readNamespaces finds the namespaces that ip-netns and Docker give names to.
func readNamespaces() map[uint32]string {
	names := map[uint32]string{}
	for _, pattern := range []string{"/run/docker/netns/*", "/run/netns/*"} {
		paths, _ := filepath.Glob(pattern) // fails for a bad pattern alone
		for _, path := range paths {
			if inode, ok := inodeOf(path); ok {
				names[inode] = event.Text([]byte(filepath.Base(path)))
			}
		}
	}
	if inode, ok := inodeOf("/proc/1/ns/net"); ok {
		names[inode] = "host"
	}
	return names
}

func inodeOf(path string) (uint32, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return uint32(stat.Ino), ok
}
