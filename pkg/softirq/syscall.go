// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// inSyscall reports whether a sample shows a 64-bit system call. The saved registers hold a
// number only if the kernel was entered by a call; the outermost frames show that. 32-bit
// calls have other numbers.
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

// syscallOf returns the most common call of samples, with its most common file. It returns
// nil if fewer than half of the samples show a call.
func syscallOf(samples []event.CPUSample, names kernel.Syscalls) *stall.Syscall {
	in := filter(samples, inSyscall)
	if len(in) == 0 || 2*len(in) < len(samples) {
		return nil
	}
	number := mostCommon(in, func(s *event.CPUSample) int { return s.Syscall.Number })
	in = filter(in, func(s *event.CPUSample) bool { return s.Syscall.Number == number })
	path := mostCommon(in, func(s *event.CPUSample) string { return s.Syscall.Path })
	in = filter(in, func(s *event.CPUSample) bool { return s.Syscall.Path == path })
	call := &stall.Syscall{Number: number, Name: names.Name(number), Args: in[0].Syscall.Args}
	if kernel.TakesDescriptor(call.Name) {
		call.Path, call.Magic = path, in[0].Syscall.Magic
	}
	return call
}
