// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"strconv"
	"strings"
)

// Syscalls are the names of an architecture's system calls, by number.
type Syscalls map[int]string

// SyscallsOf returns the system calls of an architecture, as GOARCH spells it; nil if it is
// neither amd64 nor arm64. 32-bit calls have other numbers.
func SyscallsOf(arch string) Syscalls {
	switch arch {
	case "amd64":
		return parseSyscalls(syscallsX86)
	case "arm64":
		return parseSyscalls(syscallsGeneric)
	}
	return nil
}

// Name returns the name of a system call, such as read, or syscall_999 if it is unknown.
func (s Syscalls) Name(number int) string {
	if name, ok := s[number]; ok {
		return name
	}
	return "syscall_" + strconv.Itoa(number)
}

// parseSyscalls reads names in the order of their numbers; a number before a name is
// the name's.
func parseSyscalls(table string) Syscalls {
	names, next := Syscalls{}, 0
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
