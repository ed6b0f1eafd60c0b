// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// commonStack returns the kernel stack that most samples have, without the sampler's
// own frames, and the user stack of its first sample that has one. Stacks with the
// same functions are the same; the first stands for all. In user space there is none.
func commonStack(samples []event.CPUSample) (*event.Stack, []event.Frame) {
	return commonest(samples, trim)
}

// softirqStack is the same for samples of a softirq, without what that interrupted.
func softirqStack(samples []event.CPUSample) *event.Stack {
	stack, _ := commonest(samples, func(frames []*event.Frame) []*event.Frame {
		frames = trim(frames)
		for i, f := range frames {
			if isRunner(symbol(f)) {
				return frames[:i+1]
			}
		}
		return frames
	})
	return stack
}

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

// functions spells a stack without offsets.
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

// trimmed returns a stack of fewer frames, the same if none is left out.
func trimmed(s *event.Stack, trim func([]*event.Frame) []*event.Frame) *event.Stack {
	frames := trim(s.Frames)
	if len(frames) == len(s.Frames) {
		return s
	}
	return &event.Stack{ID: s.ID, Frames: frames, Cut: s.Cut}
}

// trim leaves out the timer interrupt that a sample was taken in, and an interrupt
// below it that had come no further than to the softirqs.
func trim(frames []*event.Frame) []*event.Frame {
	isTick := false
	for i, f := range frames {
		switch name := symbol(f); {
		case isRunner(name):
			return frames
		case name == "__hrtimer_run_queues", name == "hrtimer_interrupt":
			isTick = true
		case isInterruptEntry(name) && !isTick:
			return frames
		case isInterruptEntry(name):
			return trimExit(frames[i+1:])
		}
	}
	return frames
}

// trimExit leaves out the end of an interrupt, if no softirq runs there.
func trimExit(frames []*event.Frame) []*event.Frame {
	for i, f := range frames {
		switch name := symbol(f); {
		case isInterruptEntry(name) && i > 0:
			return frames[i+1:]
		case !isRunner(name) && !isExit(name) && !strings.HasPrefix(name, "sysvec_"):
			return frames
		}
	}
	return frames
}

// isUser reports whether a sample interrupted user space, as far as its stack tells: but for
// the sampler it has no frame of the kernel, or none before that goes back to user space.
func isUser(s *event.CPUSample) bool {
	if s.At.Kthread || s.At.Task.PID == 0 || s.Stack == nil || s.Stack.Cut || len(s.Stack.Frames) == 0 {
		return false
	}
	for _, f := range trim(s.Stack.Frames) {
		if !isBackToUser(symbol(f)) && !isInterruptEntry(symbol(f)) && !strings.HasPrefix(symbol(f), "sysvec_") && !isExit(symbol(f)) {
			return false
		}
	}
	return true
}

// inUser reports whether most samples interrupted user space.
func inUser(samples []event.CPUSample) bool {
	return 2*len(filter(samples, isUser)) > len(samples)
}

// symbol returns a frame's function, without what compilers append to it.
func symbol(f *event.Frame) string {
	if f == nil {
		return ""
	}
	name, _, _ := strings.Cut(f.Symbol, ".")
	return name
}

// isInterruptEntry reports whether a function is the outermost of an interrupt: on
// amd64 arch/x86/include/asm/idtentry.h, on arm64 arch/arm64/kernel/entry.S.
func isInterruptEntry(name string) bool {
	switch name {
	case "asm_common_interrupt", "el1_irq", "el0_irq", "el1h_64_irq", "el1t_64_irq", "el0t_64_irq", "el0t_32_irq":
		return true
	}
	return strings.HasPrefix(name, "asm_sysvec_")
}

// isRunner reports whether a function calls the actions of vectors; kernel/softirq.c. Up to
// 6.8 it was __do_softirq.
func isRunner(name string) bool {
	switch name {
	case "handle_softirqs", "__do_softirq", "__softirqentry_text_start":
		return true
	}
	return false
}

// isExit reports whether a function lies between the entry of an interrupt and the softirqs
// at its end; kernel/softirq.c, arch/x86/kernel/irq.c, arch/arm64/kernel/entry-common.c.
func isExit(name string) bool {
	switch name {
	case "do_softirq_own_stack", "____do_softirq", "call_on_irq_stack",
		"asm_call_irq_on_stack", "invoke_softirq", "__irq_exit_rcu", "irq_exit_rcu",
		"irq_exit", "common_interrupt", "el1_interrupt", "__el1_irq", "el1h_64_irq_handler",
		"handle_domain_irq", "gic_handle_irq":
		return true
	}
	return false
}

// isBackToUser reports whether a function lies between an interrupt that came in user space
// and the return there, where interrupts come back on for what is pending;
// kernel/entry/common.c (in include/linux/irq-entry-common.h since 6.17),
// arch/arm64/kernel/entry-common.c.
func isBackToUser(name string) bool {
	switch name {
	case "irqentry_exit_to_user_mode", "irqentry_exit", "exit_to_user_mode_loop",
		"exit_to_user_mode_prepare", "prepare_exit_to_usermode", "asm_exit_to_user_mode",
		"el0_interrupt", "__el0_irq_handler_common", "el0t_64_irq_handler", "ret_to_user":
		return true
	}
	return false
}
