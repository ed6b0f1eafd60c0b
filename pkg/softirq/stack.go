// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"slices"
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
			if softirqRunners[symbol(f)] {
				return frames[:i+1]
			}
		}
		return frames
	})
	return stack
}

func commonest(samples []event.CPUSample, trim func([]*event.Frame) []*event.Frame) (*event.Stack, []event.Frame) {
	unwound := filter(samples, func(s *event.CPUSample) bool { return s.Stack != nil })
	key := func(s *event.CPUSample) string { return functions(trim(s.Stack.Frames)) }
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
		case softirqRunners[name]:
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
		case !softirqRunners[name] && !interruptExit[name] && !strings.HasPrefix(name, "sysvec_"):
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
		if !backToUser[symbol(f)] && !isInterruptEntry(symbol(f)) && !strings.HasPrefix(symbol(f), "sysvec_") && !interruptExit[symbol(f)] {
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
	return strings.HasPrefix(name, "asm_sysvec_") || name == "asm_common_interrupt" ||
		slices.Contains([]string{"el1_irq", "el0_irq", "el1h_64_irq", "el1t_64_irq", "el0t_64_irq", "el0t_32_irq"}, name)
}

// softirqRunners call the actions of vectors; kernel/softirq.c. Up to 6.8 it was
// __do_softirq.
var softirqRunners = map[string]bool{"handle_softirqs": true, "__do_softirq": true, "__softirqentry_text_start": true}

// interruptExit lies between the entry of an interrupt and the softirqs at its end;
// kernel/softirq.c, arch/x86/kernel/irq.c, arch/arm64/kernel/entry-common.c.
var interruptExit = map[string]bool{
	"do_softirq_own_stack": true, "____do_softirq": true, "call_on_irq_stack": true,
	"asm_call_irq_on_stack": true, "invoke_softirq": true, "__irq_exit_rcu": true, "irq_exit_rcu": true,
	"irq_exit": true, "common_interrupt": true, "el1_interrupt": true, "__el1_irq": true,
	"el1h_64_irq_handler": true, "handle_domain_irq": true, "gic_handle_irq": true,
}

// backToUser lies between an interrupt that came in user space and the return there, where
// interrupts come back on for what is pending; kernel/entry/common.c (in
// include/linux/irq-entry-common.h since 6.17), arch/arm64/kernel/entry-common.c.
var backToUser = map[string]bool{
	"irqentry_exit_to_user_mode": true, "irqentry_exit": true, "exit_to_user_mode_loop": true,
	"exit_to_user_mode_prepare": true, "prepare_exit_to_usermode": true, "asm_exit_to_user_mode": true,
	"el0_interrupt": true, "__el0_irq_handler_common": true, "el0t_64_irq_handler": true, "ret_to_user": true,
}
