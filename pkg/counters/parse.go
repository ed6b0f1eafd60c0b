// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// parser parses files of counters. Its methods append the loss counters of one file to dst.
// Fields that the file does not determine are those of counter. With an error the readings are
// nil.
type parser struct {
	headings map[string][]string // names by heading; "" for a value to skip
	cpus     []string            // "cpu 0" and so on
}

// pairs parses snmp and netstat (net/ipv4/proc.c): a line of names, then a line of values. Both
// begin with the name of the group and a colon.
func (p *parser) pairs(dst []event.Reading, counter event.Counter, text []byte) ([]event.Reading, error) {
	for line := 1; len(text) > 0; line += 2 {
		var heading, values []byte
		heading, text = cut(text, '\n')
		values, text = cut(text, '\n')
		group, _ := cut(heading, ':')
		again, values := cut(values, ':')
		if len(group) == 0 || !bytes.Equal(group, again) {
			return nil, fmt.Errorf("line %d: names of group %q, values of %q", line, group, again)
		}
		var ok bool
		if dst, ok = appendNamed(dst, counter, p.grouped(heading), values); !ok {
			return nil, fmt.Errorf("line %d: group %q: invalid or missing value", line+1, group)
		}
	}
	return dst, nil
}

// grouped returns the names in a heading, each prefixed with the name of the group.
func (p *parser) grouped(heading []byte) []string {
	return p.names(heading, func() (names []string) {
		group, words := cut(heading, ':')
		for word, rest := next(words); len(word) > 0; word, rest = next(rest) {
			names = append(names, lossOnly(string(group)+string(word), isLossCounter))
		}
		return names
	})
}

// lines parses snmp6 (net/ipv6/proc.c) and xfrm_stat (net/xfrm/xfrm_proc.c): a name and a value
// on each line. All counters of xfrm_stat count losses.
func (p *parser) lines(dst []event.Reading, counter event.Counter, text []byte) ([]event.Reading, error) {
	for number := 1; len(text) > 0; number++ {
		var line []byte
		line, text = cut(text, '\n')
		word, values := next(line)
		name := p.name(word, counter.Source)
		var ok bool
		if dst, ok = appendNamed(dst, counter, name, values); !ok {
			return nil, fmt.Errorf("line %d: invalid value in %q", number, line)
		}
	}
	return dst, nil
}

// name returns the name on a line as a list of one.
func (p *parser) name(word []byte, source event.CounterSource) []string {
	return p.names(word, func() []string {
		if source == event.CounterProtocol {
			return []string{lossOnly(string(word), isLossCounter)}
		}
		return []string{event.Text(word)}
	})
}

// maxHeadings bounds the cache of headings. A kernel has fewer: some lines of names, and one
// name for each IPv6 counter.
const maxHeadings = 1 << 12

// names returns the names of a heading. It parses each heading once.
func (p *parser) names(heading []byte, parse func() []string) []string {
	if names, ok := p.headings[string(heading)]; ok {
		return names
	}
	if p.headings == nil {
		p.headings = map[string][]string{}
	}
	names := parse()
	if len(p.headings) < maxHeadings {
		p.headings[string(heading)] = names
	}
	return names
}

// lossOnly returns the name of a loss counter, and an empty string for other names.
func lossOnly(name string, isLoss func(string) bool) string {
	if isLoss(name) {
		return name
	}
	return ""
}

// appendNamed appends the named decimal values. It returns false if one of them is missing or
// invalid.
func appendNamed(dst []event.Reading, counter event.Counter, names []string, values []byte) ([]event.Reading, bool) {
	for _, name := range names {
		var word []byte
		word, values = next(values)
		if name == "" {
			continue // may be negative, like TcpMaxConn
		}
		value, err := strconv.ParseUint(string(word), 10, 64)
		if err != nil {
			return nil, false
		}
		counter.Name = name
		dst = append(dst, event.Reading{Counter: counter, Value: value})
	}
	return dst, true
}

// cut returns the text before and after the first separator.
func cut(text []byte, separator byte) (before, after []byte) {
	i := bytes.IndexByte(text, separator)
	if i < 0 {
		return text, nil
	}
	return text[:i], text[i+1:]
}

// next returns the first word of a line, which is empty on a blank line, and the rest.
func next(line []byte) (word, rest []byte) {
	first := 0
	for first < len(line) && blank(line[first]) {
		first++
	}
	end := first
	for end < len(line) && !blank(line[end]) {
		end++
	}
	return line[first:end], line[end:]
}

func blank(c byte) bool { return c == ' ' || c == '\t' }
