// SPDX-License-Identifier: Apache-2.0

package stall

import (
	"fmt"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/kernel"
)

// Syscall is a system call that was in flight.
type Syscall struct {
	Number int
	Name   string    // "syscall_999" if unknown
	Args   [3]uint64 // of the first sample that shows the call
	Path   string    // of the file behind the first argument; empty if unknown or no file
	Magic  uint32    // of that file's file system
}

// String returns the call with the file that it works on: read(/proc/slabinfo), read(fd 3),
// bpf().
func (s *Syscall) String() string {
	switch {
	case !kernel.TakesDescriptor(s.Name):
		return s.Name + "()"
	case s.Path != "":
		return s.Name + "(" + shorten(s.Path) + ")"
	}
	return fmt.Sprintf("%s(fd %d)", s.Name, int32(s.Args[0]))
}

// shorten leaves out the middle of a long path.
func shorten(path string) string {
	const long, head, tail = 64, 4, 1
	parts := strings.Split(path, "/")
	if len(path) <= long || len(parts) <= head+tail+1 {
		return path
	}
	return strings.Join(parts[:head+1], "/") + "/…/" + strings.Join(parts[len(parts)-tail:], "/")
}
