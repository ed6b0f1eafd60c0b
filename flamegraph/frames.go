// SPDX-License-Identifier: Apache-2.0

package flamegraph

import "bytes"

// framer cuts stacks into frames and keeps one copy of each name.
type framer struct {
	names map[string]string
	free  []string
}

// split cuts a stack at its semicolons.
func (f *framer) split(stack []byte) []string {
	n := bytes.Count(stack, []byte(";")) + 1
	if n > len(f.free) {
		f.free = make([]string, max(n, 1<<12))
	}
	frames := f.free[:0:n]
	for from := 0; from <= len(stack); {
		to := frameEnd(stack, from)
		frames = append(frames, f.name(stack[from:to]))
		from = to + 1
	}
	f.free = f.free[n:]
	return frames[:len(frames):len(frames)]
}

func (f *framer) name(b []byte) string {
	name, ok := f.names[string(b)]
	if !ok {
		name = string(b)
		f.names[name] = name
	}
	return name
}

// frameEnd returns where the frame that starts at from ends: at a semicolon,
// or at the end of the stack.
func frameEnd(stack []byte, from int) int {
	open := 0 // brackets
	for to := from; ; {
		next := bytes.IndexByte(stack[to:], ';')
		if next < 0 {
			return len(stack)
		}
		part := stack[to : to+next]
		to += next
		if to+1 == len(stack) || stack[to+1] != ' ' {
			return to
		}
		open += bytes.Count(part, []byte("[")) - bytes.Count(part, []byte("]"))
		if open <= 0 || !closes(stack[to+1:]) {
			return to
		}
		to++
	}
}

// closes tells whether a bracket that is open is closed ahead of the next semicolon:
// array types such as [[u8; 4]; 2].
func closes(after []byte) bool {
	if end := bytes.IndexByte(after, ';'); end >= 0 {
		after = after[:end]
	}
	return bytes.IndexByte(after, ']') >= 0
}
