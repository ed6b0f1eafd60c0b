// SPDX-License-Identifier: Apache-2.0

package rtt

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strings"
)

// maxLine is the length in bytes from which a line cannot be a reply.
const maxLine = 4096

// Parse yields the replies in a log of ping or hping3. A line that looks like a
// reply and cannot be read yields an error that names it, and parsing goes on with
// the next one; every other line is ignored. An error of r is the last.
func Parse(r io.Reader) iter.Seq2[Reply, error] {
	return func(yield func(Reply, error) bool) {
		lines := bufio.NewReaderSize(r, maxLine)
		var p parser
		for {
			line, err := lines.ReadSlice('\n')
			p.line++
			if err == nil || err == io.EOF {
				reply, found, bad := p.parse(strings.TrimRight(string(line), "\r\n"))
				if bad != nil {
					found, bad = true, fmt.Errorf("rtt log line %d: %w", p.line, bad)
				}
				if found && !yield(reply, bad) {
					return
				}
			}
			for err == bufio.ErrBufferFull {
				_, err = lines.ReadSlice('\n')
			}
			switch {
			case err == io.EOF:
				return
			case err != nil:
				yield(Reply{}, fmt.Errorf("read rtt log: %w", err))
				return
			}
		}
	}
}

// parser keeps what a line needs to know of those before it.
type parser struct {
	line     int
	sequence sequence
	broken   string // the first half of a reply that hping3 -V broke in two
}

// parse reads one line and reports whether it is of a packet.
func (p *parser) parse(line string) (Reply, bool, error) {
	start := p.broken
	p.broken = ""
	if strings.HasPrefix(line, "PING ") || strings.HasPrefix(line, "HPING ") {
		p.sequence.restart()
		return Reply{}, false, nil
	}
	if start != "" {
		line = start + " " + line
	}
	stamp, rest := cutStamp(line)
	reply := Reply{Line: p.line}
	var err error
	switch {
	case isPing(rest):
		err = p.ping(&reply, rest)
	case strings.HasPrefix(rest, unanswered):
		err = p.unanswered(&reply, rest)
	case strings.HasPrefix(rest, hpingReply), strings.HasPrefix(rest, hpingDuplicate+hpingReply):
		if start == "" && isBroken(rest) {
			p.broken = rest
			return Reply{}, false, nil
		}
		err = p.hping(&reply, rest)
	default:
		return Reply{}, false, nil
	}
	if err == nil && stamp != "" {
		reply.Time, err = parseStamp(stamp)
	}
	if err != nil {
		return Reply{}, false, err
	}
	return reply, true, nil
}
