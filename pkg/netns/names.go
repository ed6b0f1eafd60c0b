// SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Names names network namespaces by the inode of their nsfs files. Its zero value
// is ready for use, by one goroutine.
type Names struct {
	names map[uint32]string
	read  time.Time
	took  time.Duration
}

const (
	// oldNames is how long names are believed: namespaces come, go and leave their numbers
	// to others.
	oldNames = time.Second
	// newNames is the least time between two readings of the names.
	newNames = 10 * time.Millisecond
)

// Name returns "host" for the namespace of process 1, the name of one that has a file
// below /run/netns or /run/docker/netns, as event.Text spells it, or an empty string: it
// may get a name later. Names are read anew when they are a second old, and for an unknown
// namespace, but for at most a fiftieth of the time.
func (n *Names) Name(inode uint32) string {
	name, known := n.names[inode]
	age, least := time.Since(n.read), newNames
	if known {
		least = oldNames
	}
	if age > max(least, 50*n.took) {
		n.read = time.Now()
		n.names = read()
		n.took = time.Since(n.read)
		name = n.names[inode]
	}
	return name
}

// read finds the namespaces that have names.
func read() map[uint32]string {
	names := map[uint32]string{}
	for _, path := range files() {
		if inode, err := Inode(path); err == nil {
			names[inode] = nameOf(path)
		}
	}
	if inode, err := Inode("/proc/1/ns/net"); err == nil {
		names[inode] = Host
	}
	return names
}

// Host is the name of the namespace that process 1 is in.
const Host = "host"

// nameOf returns the name that a file gives a namespace.
func nameOf(file string) string { return event.Text([]byte(filepath.Base(file))) }

// files lists the files by which Docker and ip-netns keep and name namespaces. Of
// two names the last one counts.
func files() []string {
	var files []string
	for _, pattern := range []string{"/run/docker/netns/*", "/run/netns/*"} {
		paths, _ := filepath.Glob(pattern) // fails for a bad pattern alone
		files = append(files, paths...)
	}
	return files
}

// Inode returns the inode of a file, which for one of nsfs is the namespace's number.
func Inode(path string) (uint32, error) {
	var stat unix.Stat_t
	err := unix.Stat(path, &stat)
	return uint32(stat.Ino), err
}
