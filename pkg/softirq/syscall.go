// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"fmt"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

// Syscall is a system call that was in flight.
type Syscall struct {
	Number int
	Name   string    // "syscall_999" if it is not known on this architecture
	Args   [3]uint64 // of the first sample that shows the call
	Path   string    // of the file behind the first argument; empty if unknown or no file
	Magic  uint32    // of that file's file system
}

// String spells the call with the file it works on: read(/proc/slabinfo), read(fd 3),
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

// inSyscall reports whether a sample shows a system call. The saved registers hold
// its number only if the kernel was entered by one, and the outermost frame says so.
// 32-bit calls have other numbers and are not accepted.
func inSyscall(s *event.CPUSample) bool {
	if s.Syscall == nil || s.Stack == nil || s.Stack.Cut {
		return false
	}
	frames := s.Stack.Frames
	var last []string
	for _, f := range frames[max(0, len(frames)-3):] {
		last = append(last, symbol(f))
	}
	return kernel.EntersBySyscall(last...)
}

// syscallOf returns the call that most samples show, of those the most common file. It is
// nil unless at least half show one.
func syscallOf(samples []event.CPUSample, names kernel.Syscalls) *Syscall {
	in := filter(samples, inSyscall)
	if len(in) == 0 || 2*len(in) < len(samples) {
		return nil
	}
	number := mostCommon(in, func(s *event.CPUSample) int { return s.Syscall.Number })
	in = filter(in, func(s *event.CPUSample) bool { return s.Syscall.Number == number })
	path := mostCommon(in, func(s *event.CPUSample) string { return s.Syscall.Path })
	in = filter(in, func(s *event.CPUSample) bool { return s.Syscall.Path == path })
	call := &Syscall{Number: number, Name: names.Name(number), Args: in[0].Syscall.Args}
	if kernel.TakesDescriptor(call.Name) {
		call.Path, call.Magic = path, in[0].Syscall.Magic
	}
	return call
}
