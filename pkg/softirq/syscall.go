// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
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
	case !descriptorFirst[s.Name]:
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
	if len(frames) == 0 {
		return false
	}
	switch root := symbol(frames[len(frames)-1]); {
	case strings.HasPrefix(root, "entry_SYSCALL_64"): // arch/x86/entry/entry_64.S
		return true
	case root == "el0_svc":
		return true
	case root == "el0t_64_sync", root == "el0_sync": // arch/arm64/kernel/entry.S: faults, too
		outer := frames[max(0, len(frames)-3):]
		return slices.ContainsFunc(outer, func(f *event.Frame) bool { return symbol(f) == "el0_svc" })
	}
	return false
}

// of returns the call that most samples show, of those the most common file. It is
// nil unless at least half show one.
func (n syscallNames) of(samples []event.CPUSample) *Syscall {
	in := filter(samples, inSyscall)
	if len(in) == 0 || 2*len(in) < len(samples) {
		return nil
	}
	number := mostCommon(in, func(s *event.CPUSample) int { return s.Syscall.Number })
	in = filter(in, func(s *event.CPUSample) bool { return s.Syscall.Number == number })
	path := mostCommon(in, func(s *event.CPUSample) string { return s.Syscall.Path })
	in = filter(in, func(s *event.CPUSample) bool { return s.Syscall.Path == path })
	call := &Syscall{Number: number, Name: n.name(number), Args: in[0].Syscall.Args}
	if descriptorFirst[call.Name] {
		call.Path, call.Magic = path, in[0].Syscall.Magic
	}
	return call
}

// syscallNames are names by number.
type syscallNames map[int]string

func (n syscallNames) name(number int) string {
	if name, ok := n[number]; ok {
		return name
	}
	return "syscall_" + strconv.Itoa(number)
}

// syscallNamesOf returns the names on an architecture, none if it is not known.
func syscallNamesOf(arch string) syscallNames {
	switch arch {
	case "amd64":
		return parseSyscalls(syscallsX86)
	case "arm64":
		return parseSyscalls(syscallsGeneric)
	}
	return nil
}

// parseSyscalls reads names in the order of their numbers; a number before a name is
// the name's.
func parseSyscalls(table string) syscallNames {
	names, next := syscallNames{}, 0
	for _, word := range strings.Fields(table) {
		if number, err := strconv.Atoi(word); err == nil {
			next = number
			continue
		}
		names[next] = word
		next++
	}
	return names
}
