// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Fold returns the stacks of a source as pictures show them, root first: the
// context, the functions, the reason.
func Fold(src event.Source) (*Sums[string], error) {
	return Aggregate(src, false, func(c *event.Cell, d *event.Drop) string {
		var b strings.Builder
		switch {
		case d == nil:
			b.WriteString(Unsampled)
		case d.Stack == nil:
			b.WriteString(foldable(root(d)) + ";" + NoStack)
		default:
			b.WriteString(foldable(root(d)))
			frames, cut := trimmed(d.Stack, d.Context == event.ContextProcess)
			if cut {
				b.WriteString(";" + CutOff)
			}
			for _, f := range slices.Backward(frames) {
				b.WriteByte(';')
				b.WriteString(foldable(f.Name()))
			}
		}
		b.WriteByte(';')
		b.WriteString(foldable(reasonFrame(c)))
		return b.String()
	})
}

// reasonFrame names the reason as the innermost frame. A cell without a sample
// has at least its location.
func reasonFrame(c *event.Cell) string {
	if c.Overflow {
		return "[overflow]"
	}
	return c.Reason.Name
}

// foldable escapes what has a meaning in folded stacks. Names double their
// backslashes (event.Text), so that this cannot be mistaken for anything else.
func foldable(frame string) string {
	return folding.Replace(frame)
}

var folding = strings.NewReplacer(";", `\x3b`, "\n", `\x0a`, "\r", `\x0d`)

// WriteFolded writes a line per stack, sorted: frames from the root, separated by
// semicolons, a space and the number of drops.
func WriteFolded(w io.Writer, stacks *Sums[string]) error {
	out := bufio.NewWriter(w)
	for _, key := range slices.Sorted(slices.Values(stacks.Keys)) {
		if v := stacks.Of[key]; v.Drops > 0 {
			fmt.Fprintf(out, "%s %d\n", key, v.Drops)
		}
	}
	return out.Flush()
}
