// SPDX-License-Identifier: Apache-2.0

package flamegraph

import "fmt"

// Sample is one stack and the value it stands for.
type Sample struct {
	// Stack holds the frames, root first. A frame may hold any bytes; those
	// that cannot be printed are drawn escaped, such as \x1b.
	Stack []string
	// Value is what the sample counts, in the unit of the Measures of column 0.
	Value uint64
	// More holds the values of columns 1, 2 and so on, such as bytes beside
	// packets: as many in every sample of a graph. A sample with no value above
	// 0 is not drawn.
	More []uint64
}

// LineError tells why one line of folded stacks was left out.
type LineError struct {
	// Line is the line's number, from 1.
	Line int
	// Err is the reason.
	Err error
}

// Error returns the line's number and the reason.
func (e LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the reason.
func (e LineError) Unwrap() error { return e.Err }
