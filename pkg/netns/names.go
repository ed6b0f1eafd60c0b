// SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Names maps the inodes of nsfs files to names of network namespaces. The zero value is
// ready for use. It is not safe for concurrent use.
type Names struct {
	names map[uint32]string
	read  time.Time
	took  time.Duration
}

const (
	// oldNames is how long a known name is valid: the inode of a deleted namespace may be
	// reused.
	oldNames = time.Second
	// newNames is the shortest interval between two reads of the names.
	newNames = 10 * time.Millisecond
)

// Name returns the name of a namespace: "host" for that of process 1, else the name of its
// file in /run/netns or /run/docker/netns, escaped by event.Text. It returns an empty string
// for a namespace without a name, which may get one later. Name reads the names again when
// they are one second old or the namespace is unknown, and spends at most 2 % of the time
// on it.
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

// read returns the names of all namespaces that have one, by inode.
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

// files lists the files that Docker and ip-netns(8) create for their namespaces. If a
// namespace has two files, the last one names it.
func files() []string {
	var files []string
	for _, pattern := range []string{"/run/docker/netns/*", "/run/netns/*"} {
		paths, _ := filepath.Glob(pattern) // fails only for a bad pattern
		files = append(files, paths...)
	}
	return files
}

// Inode returns the inode of a file. The inode of an nsfs file identifies its namespace.
func Inode(path string) (uint32, error) {
	var stat unix.Stat_t
	err := unix.Stat(path, &stat)
	return uint32(stat.Ino), err
}
