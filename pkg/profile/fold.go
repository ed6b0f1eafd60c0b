// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// StackOptions says what a stack has besides functions.
type StackOptions struct {
	// Root is what stacks are grouped by, outside of their context. A reason
	// among it is not the innermost frame too.
	Root Grouping
	// NoReason leaves the reason out as innermost frame.
	NoReason bool
}

// reasonLast reports whether the innermost frame is the reason.
func (o StackOptions) reasonLast() bool {
	return !o.NoReason && !slices.Contains(o.Root.Names(), reasonName)
}

// Fold returns the stacks of a source as pictures show them: keys made of
// frames, root first (see Frames).
func Fold(src event.Source, o StackOptions) (*Sums[string], error) {
	return Aggregate(src, false, func(c *event.Cell, d *event.Drop) string {
		return strings.Join(o.frames(c, d), separator)
	})
}

// Frames returns what a key of Fold is made of, root first: the groups, the
// context, the functions, the reason.
func Frames(key string) []string { return strings.Split(key, separator) }

func (o StackOptions) frames(c *event.Cell, d *event.Drop) []string {
	frames := o.root(c, d)
	switch {
	case c.Unseen:
		frames = append(frames, c.Location.Name())
	case d == nil:
		frames = append(frames, Unsampled)
		if c.Location.Addr != 0 {
			frames = append(frames, c.Location.Name())
		}
	case d.Stack == nil:
		frames = append(frames, root(d), NoStack)
		if c.Location.Addr != 0 {
			frames = append(frames, c.Location.Name())
		}
	default:
		frames = append(frames, root(d))
		functions, cut := trimmed(d.Stack, d.Context == event.ContextProcess)
		if cut {
			frames = append(frames, CutOff)
		}
		for _, f := range slices.Backward(functions) {
			frames = append(frames, f.Name())
		}
	}
	if o.reasonLast() {
		frames = append(frames, reasonFrame(c))
	}
	return frames
}

// root returns the groups that a drop is in, as frames.
func (o StackOptions) root(c *event.Cell, d *event.Drop) []string {
	var frames []string
	for _, m := range o.Root {
		value := m.Value(c, d)
		switch {
		case m.Name == contextName: // every stack has it
		case m.Name == reasonName, strings.HasPrefix(value, "["):
			frames = append(frames, value)
		default:
			frames = append(frames, "["+m.Name+": "+value+"]")
		}
	}
	return frames
}

// Marks go behind a reason whose meaning at its location is a matter of the kernel or
// the packet, for those who see frames alone: vagueMark behind NOT_SPECIFIED where it
// does not hold (event.Reason.Vague), placeMark behind any other where it does.
const vagueMark, placeMark = "?", "*"

// reasonFrame names the reason as the innermost frame.
func reasonFrame(c *event.Cell) string {
	if c.Overflow {
		return "[overflow]"
	}
	return c.Reason.String() + reasonMark(c)
}

func reasonMark(c *event.Cell) string {
	unspecified := c.Reason.Name == dropreason.NotSpecified
	switch {
	case unspecified && c.Reason.Vague:
		return vagueMark
	case !unspecified && dropreason.Conditional(c.Reason.Name, c.Place()):
		return placeMark
	}
	return ""
}

// parseReasonFrame takes apart what reasonFrame made of a reason below a function, and
// tells whether what the reason stands for there holds.
func parseReasonFrame(frame, function string) (reason event.Reason, holds bool) {
	name, vague := strings.CutSuffix(frame, vagueMark)
	name, placed := strings.CutSuffix(name, placeMark)
	reason = event.ParseReason(name)
	if reason.Name == dropreason.NotSpecified {
		return reason, !vague
	}
	return reason, placed || !dropreason.Conditional(reason.Name, function)
}

// foldable escapes what has a meaning in folded stacks. Names double their
// backslashes (event.Text), so that this cannot be mistaken for anything else.
var foldable = strings.NewReplacer(";", `\x3b`, "\n", `\x0a`, "\r", `\x0d`, separator, ";")

// WriteFolded writes a line per stack, sorted: frames from the root, separated by
// semicolons, a space and the number of drops.
func WriteFolded(w io.Writer, stacks *Sums[string]) error {
	var lines []string
	for key, v := range stacks.Of {
		if v.Drops > 0 {
			lines = append(lines, fmt.Sprintf("%s %d\n", foldable.Replace(key), v.Drops))
		}
	}
	slices.Sort(lines)
	out := bufio.NewWriter(w)
	for _, line := range lines {
		out.WriteString(line)
	}
	return out.Flush()
}
