// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

var errNoStack = errors.New("no stack before the count")

// splitLine cuts a line into its stack and its count. A line that holds no
// stack and needs none, blank or a comment, gives a nil stack and no error.
func splitLine(line []byte) (stack []byte, c decimal, err error) {
	if len(line) == 0 || line[0] == '#' && (len(line) == 1 || line[1] == ' ') {
		return nil, decimal{}, nil
	}
	stack, c, err = cutCount(line)
	if err == nil && len(stack) == 0 {
		err = errNoStack
	}
	return stack, c, err
}

// lineProblem says what is wrong with a line.
func lineProblem(why error, line []byte) error { return fmt.Errorf("%w in %s", why, quote(line)) }

// lastField returns what stands behind the last space of a line.
func lastField(line []byte) []byte { return line[bytes.LastIndexAny(line, " \t")+1:] }

// quote returns the start and the end of a line for a message.
func quote(line []byte) string {
	const most = 80
	if len(line) <= most {
		return strconv.Quote(string(line))
	}
	head, tail := line[:most/2], line[len(line)-most/2:]
	for len(tail) > 0 && !utf8.RuneStart(tail[0]) {
		tail = tail[1:]
	}
	return strconv.Quote(string(head)) + "…" + strconv.Quote(string(tail))
}
