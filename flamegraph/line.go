// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// splitLine cuts a line into its stack and its count. A line that holds no
// stack and needs none, blank or a comment, gives a nil stack and no error.
func splitLine(line []byte) (stack []byte, value uint64, err error) {
	line = bytes.TrimRight(line, " \t\r\n")
	if len(line) == 0 || line[0] == '#' && (len(line) == 1 || line[1] == ' ') {
		return nil, 0, nil
	}
	space := bytes.LastIndexAny(line, " \t")
	value, err = parseCount(line[space+1:])
	if err != nil {
		return nil, 0, fmt.Errorf("%w in %s", err, quote(line))
	}
	stack = bytes.TrimRight(line[:max(space, 0)], " \t")
	if len(stack) == 0 {
		return nil, 0, fmt.Errorf("no stack before the count in %s", quote(line))
	}
	return stack, value, nil
}

// parseCount reads a whole number. A fraction of zeros, as in 12.0, is one.
func parseCount(text []byte) (uint64, error) {
	whole, fraction, _ := bytes.Cut(text, []byte("."))
	if len(bytes.Trim(fraction, "0")) > 0 {
		whole = text
	}
	value, err := strconv.ParseUint(string(whole), 10, 64)
	if err == nil {
		return value, nil
	}
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("count exceeds %d", ^uint64(0))
	}
	digits := bytes.TrimLeft(text, "-.")
	if _, err := strconv.ParseFloat(string(text), 64); err != nil || digits[0] < '0' || digits[0] > '9' {
		return 0, errors.New("no count")
	}
	if text[0] == '-' {
		return 0, errors.New("negative count")
	}
	return 0, errors.New("count is not a whole number")
}

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
