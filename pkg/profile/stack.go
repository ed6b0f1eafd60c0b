// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

// Frames that stand for what is not known.
const (
	NoStack = "[no stack]" // a stack that could not be unwound
	CutOff  = "[cut off]"  // the outer part of a stack deeper than the kernel unwinds
)

// stackNames returns a drop's stack, outermost function first.
func stackNames(d *event.Drop) []string {
	if d.Stack == nil {
		return []string{NoStack}
	}
	names := make([]string, 0, len(d.Stack.Frames)+1)
	if d.Stack.Cut {
		names = append(names, CutOff)
	}
	for _, f := range slices.Backward(d.Stack.Frames) {
		names = append(names, f.Name())
	}
	return names
}

// root names what the CPU was doing, as the outermost frame of a picture.
func root(d *event.Drop) string {
	switch {
	case d.Context == event.ContextProcess && strings.HasPrefix(d.Task.Comm, kernel.NAPIThread):
		return "[napi thread]"
	case d.Context == event.ContextProcess:
		return "[process: " + d.Task.Comm + "]"
	}
	return "[" + d.Context.String() + "]"
}

// trimmed returns the frames of a stack, innermost first, without those that every
// stack of its context begins with: what a softirq interrupted, the polling loop
// around the handlers, the system call entry. The root frame tells the same. It
// also returns whether frames are missing between the root and what it returns.
func trimmed(stack *event.Stack, process bool) (frames []*event.Frame, cut bool) {
	frames = stack.Frames
	if process {
		for len(frames) > 1 && isEntry(frames[len(frames)-1].Symbol) {
			frames = frames[:len(frames)-1]
		}
		return frames, stack.Cut
	}
	for i, f := range frames {
		if i > 0 && isPoll(f.Symbol) {
			return frames[:i], false
		}
	}
	return frames, stack.Cut
}

// isPoll reports whether a function only runs softirqs or polls devices.
func isPoll(symbol string) bool {
	switch symbol {
	case "__napi_poll", "__napi_poll.constprop.0", "napi_poll", "net_rx_action",
		"handle_softirqs", "__do_softirq", "do_softirq":
		return true
	}
	return strings.HasPrefix(symbol, "napi_threaded_poll") || strings.HasPrefix(symbol, "handle_softirqs.")
}

// isEntry reports whether a function only leads from user space or from a thread's
// start to the kernel's work.
func isEntry(symbol string) bool {
	switch symbol {
	case "do_syscall_64", "x64_sys_call", "ret_from_fork", "ret_from_fork_asm", "kthread",
		"el0t_64_sync", "el0t_64_sync_handler", "el0_svc", "do_el0_svc", "invoke_syscall",
		"el0_svc_common", "invoke_syscall.constprop.0", "el0_svc_common.constprop.0":
		return true
	}
	return strings.HasPrefix(symbol, "entry_SYSCALL_") || strings.HasPrefix(symbol, "napi_threaded_poll")
}
