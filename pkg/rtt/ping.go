// SPDX-License-Identifier: Apache-2.0

package rtt

import (
	"fmt"
	"strings"
)

const unanswered = "no answer yet for icmp_seq="

// cutStamp separates what ping -D puts in brackets before a line, if anything.
func cutStamp(line string) (stamp, rest string) {
	if text, ok := strings.CutPrefix(line, "["); ok {
		if stamp, rest, ok = strings.Cut(text, "] "); ok {
			return stamp, rest
		}
	}
	return "", line
}

// isPing recognises "64 bytes from ".
func isPing(line string) bool {
	count, rest, _ := strings.Cut(line, " ")
	_, err := parseUint(count, 32)
	return err == nil && strings.HasPrefix(rest, "bytes from ")
}

// ping reads "64 bytes from HOST: icmp_seq=5 ident=7 ttl=64 time=0.045 ms (DUP!)",
// where HOST is an address or a name and its address in parentheses.
func (p *parser) ping(r *Reply, line string) error {
	_, line, _ = strings.Cut(line, " bytes from ")
	host, fields, ok := strings.Cut(line, ": ")
	if !ok {
		return errNoNumber
	}
	if name, addr, ok := cutLast(host, " ("); ok && name != "" {
		host = strings.TrimSuffix(addr, ")")
	}
	var err error
	if r.Addr, err = parseAddr(host); err != nil {
		return err
	}
	if ident, ok := field(fields, "ident"); ok {
		id, err := parseUint(ident, 16)
		if err != nil {
			return fmt.Errorf("invalid identifier %q", ident)
		}
		r.ID = uint16(id)
	}
	if r.RTT, err = parseRTT(fields, "time"); err != nil {
		return err
	}
	r.Duplicate = strings.Contains(fields, "(DUP!)")
	seq, ok := field(fields, "icmp_seq")
	if !ok {
		return errNoNumber
	}
	return p.number(r, seq, true, false)
}

func (p *parser) unanswered(r *Reply, line string) error {
	r.Unanswered = true
	return p.number(r, strings.TrimPrefix(line, unanswered), true, false)
}
