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
		for len(frames) > 1 && kernel.IsEntry(frames[len(frames)-1].Symbol) {
			frames = frames[:len(frames)-1]
		}
		return frames, stack.Cut
	}
	for i, f := range frames {
		if i > 0 && kernel.IsPoll(f.Symbol) {
			return frames[:i], false
		}
	}
	return frames, stack.Cut
}
