// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

// commonStack returns the most common kernel stack of samples, without the frames of the
// sampler, and the first user stack that comes with it. Stacks of the same functions are
// equal, and the first is returned. It returns no kernel stack if most samples are in user
// space.
func commonStack(samples []event.CPUSample) (*event.Stack, []event.Frame) {
	return commonest(samples, trim)
}

// softirqStack returns the most common kernel stack of samples of a softirq, without the
// frames that it interrupted.
func softirqStack(samples []event.CPUSample) *event.Stack {
	stack, _ := commonest(samples, func(frames []*event.Frame) []*event.Frame {
		frames = trim(frames)
		for i, f := range frames {
			if kernel.IsSoftirqRunner(symbol(f)) {
				return frames[:i+1]
			}
		}
		return frames
	})
	return stack
}

// commonest returns the most common trimmed kernel stack, and the first user stack with it.
func commonest(samples []event.CPUSample, trim func([]*event.Frame) []*event.Frame) (*event.Stack, []event.Frame) {
	unwound := filter(samples, func(s *event.CPUSample) bool { return s.Stack != nil })
	spelled := map[*event.Stack]string{}
	key := func(s *event.CPUSample) string {
		text, ok := spelled[s.Stack]
		if !ok {
			text = functions(trim(s.Stack.Frames))
			spelled[s.Stack] = text
		}
		return text
	}
	best := mostCommon(unwound, key)
	var stack *event.Stack
	for i := range unwound {
		s := &unwound[i]
		if key(s) != best {
			continue
		}
		if stack == nil && best != "" {
			stack = trimmed(s.Stack, trim)
		}
		if len(s.User) > 0 {
			return stack, s.User
		}
	}
	return stack, nil
}

// functions returns the functions of a stack, one a line, without offsets.
func functions(frames []*event.Frame) string {
	var b strings.Builder
	for _, f := range frames {
		if f != nil {
			b.WriteString(f.Name())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// trimmed returns a trimmed stack; s itself if trim keeps all frames.
func trimmed(s *event.Stack, trim func([]*event.Frame) []*event.Frame) *event.Stack {
	frames := trim(s.Frames)
	if len(frames) == len(s.Frames) {
		return s
	}
	return &event.Stack{ID: s.ID, Frames: frames, Cut: s.Cut}
}

// trim returns the frames below the timer interrupt in which a sample was taken, and below
// an interrupt under it that has only reached its softirqs.
func trim(frames []*event.Frame) []*event.Frame {
	isTick := false
	for i, f := range frames {
		switch name := symbol(f); {
		case kernel.IsSoftirqRunner(name):
			return frames
		case kernel.IsTimerInterrupt(name):
			isTick = true
		case kernel.IsInterruptEntry(name) && !isTick:
			return frames
		case kernel.IsInterruptEntry(name):
			return trimExit(frames[i+1:])
		}
	}
	return frames
}

// trimExit returns the frames below the exit of an interrupt; all if a softirq runs in it.
func trimExit(frames []*event.Frame) []*event.Frame {
	for i, f := range frames {
		switch name := symbol(f); {
		case kernel.IsInterruptEntry(name) && i > 0:
			return frames[i+1:]
		case !kernel.IsSoftirqRunner(name) && !kernel.IsInterruptExit(name):
			return frames
		}
	}
	return frames
}

// isUser reports whether a sample interrupted user space: but for the sampler its stack has
// no kernel frames, or only those of an exit to user space.
func isUser(s *event.CPUSample) bool {
	if s.At.Kthread || s.At.Task.PID == 0 || s.Stack == nil || s.Stack.Cut || len(s.Stack.Frames) == 0 {
		return false
	}
	for _, f := range trim(s.Stack.Frames) {
		name := symbol(f)
		if !kernel.IsExitToUser(name) && !kernel.IsInterruptEntry(name) && !kernel.IsInterruptExit(name) {
			return false
		}
	}
	return true
}

// inUser reports whether most samples interrupted user space.
func inUser(samples []event.CPUSample) bool {
	return 2*len(filter(samples, isUser)) > len(samples)
}

// symbol returns the function of a frame, without what compilers append to its name.
func symbol(f *event.Frame) string {
	if f == nil {
		return ""
	}
	return kernel.FunctionName(f.Symbol)
}

// vectorFunction returns the function that a softirq ran: its outermost frame that is no
// dispatcher; nil if the stack has none.
func vectorFunction(s *event.Stack) *event.Frame {
	if s == nil {
		return nil
	}
	runner := slices.IndexFunc(s.Frames, func(f *event.Frame) bool { return kernel.IsSoftirqRunner(symbol(f)) })
	for i := runner - 1; i >= 0; i-- {
		if !kernel.IsSoftirqDispatcher(symbol(s.Frames[i])) {
			return s.Frames[i]
		}
	}
	return nil
}

// unknownBPF is the symbol that pkg/symbolize gives BPF programs that the kernel does not list.
const unknownBPF = "[bpf]"

// packetFunction returns the function in which packets took their time: a BPF program or a
// chain of rules, otherwise the innermost function.
func packetFunction(s *event.Stack) *event.Frame {
	if s == nil || len(s.Frames) == 0 {
		return nil
	}
	for _, f := range s.Frames {
		if name := symbol(f); kernel.IsPacketWork(name) || name == unknownBPF {
			return f
		}
	}
	return s.Frames[0]
}
