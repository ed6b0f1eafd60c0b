// SPDX-License-Identifier: Apache-2.0

package privilege

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Status holds the privileges that /proc/PID/status shows (proc_pid_status(5)).
type Status struct {
	Effective, Permitted, Bounding, Ambient Set

	NoNewPrivs bool // execve(2) grants no privileges
	Seccomp    bool // a seccomp filter is attached
}

// maxLine is the longest line in bytes; a line of 65536 groups is shorter.
const maxLine = 1 << 20

// ReadStatus parses /proc/PID/status. A missing CapEff line is an error; other lines may be
// missing.
func ReadStatus(r io.Reader) (*Status, error) {
	s, found := &Status{}, false
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), ":")
		text = strings.TrimSpace(text)
		var err error
		switch name {
		case "CapEff":
			s.Effective, err = parseSet(text)
			found = true
		case "CapPrm":
			s.Permitted, err = parseSet(text)
		case "CapBnd":
			s.Bounding, err = parseSet(text)
		case "CapAmb":
			s.Ambient, err = parseSet(text)
		case "NoNewPrivs":
			s.NoNewPrivs = text == "1"
		case "Seccomp":
			s.Seccomp = text == "2" // SECCOMP_MODE_FILTER
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read capabilities: %w", err)
	}
	if !found {
		return nil, fmt.Errorf("read capabilities: no CapEff: %w", io.ErrUnexpectedEOF)
	}
	return s, nil
}

func parseSet(text string) (Set, error) {
	n, err := strconv.ParseUint(text, 16, 64)
	return Set(n), err
}
