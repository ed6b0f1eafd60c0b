// SPDX-License-Identifier: Apache-2.0

package rtt

import (
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// number sets all forms of a printed sequence number.
func (p *parser) number(r *Reply, text string, icmp, swapped bool) error {
	width := 16
	if !icmp {
		width = 32
	}
	printed, err := parseUint(text, width)
	if err != nil {
		return fmt.Errorf("invalid sequence number %q", text)
	}
	r.Seq, r.ICMP = uint16(printed), icmp
	r.Unwrapped = p.sequence.unwrap(uint32(printed))
	switch {
	case swapped:
		r.Wire = bits.ReverseBytes16(r.Seq)
	case icmp:
		r.Wire = r.Seq
	}
	return nil
}

var (
	errNoRTT    = errors.New("reply without a round-trip time")
	errNoNumber = errors.New("reply without a sequence number")
)

func parseAddr(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("invalid address %q", text)
	}
	return addr, nil
}

// parseStamp reads the seconds since 1970 that ping -D puts in brackets.
func parseStamp(text string) (time.Time, error) {
	seconds, micros, ok := strings.Cut(text, ".")
	s, err := parseUint(seconds, 40)
	us, err2 := parseUint(micros, 32)
	if !ok || err != nil || err2 != nil || len(micros) != 6 {
		return time.Time{}, fmt.Errorf("invalid time %q", text)
	}
	return time.Unix(int64(s), int64(us)*1000).UTC(), nil
}

func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return text, "", false
}

// field returns the value of "key=value" among fields separated by spaces.
func field(fields, key string) (string, bool) {
	for text := range strings.FieldsSeq(fields) {
		if k, value, ok := strings.Cut(text, "="); ok && k == key {
			return value, true
		}
	}
	return "", false
}

// parseRTT reads "key=12.3 ms". The unit must be there: a line may be cut.
func parseRTT(fields, key string) (time.Duration, error) {
	text, ok := field(fields, key)
	if !ok {
		return 0, errNoRTT
	}
	_, rest, _ := strings.Cut(fields, key+"="+text+" ")
	if unit, _, _ := strings.Cut(rest, " "); unit != "ms" {
		return 0, fmt.Errorf("round-trip time %q without its unit", text)
	}
	whole, fraction, _ := strings.Cut(text, ".")
	ms, err := parseUint(whole, 32)
	ns, err2 := parseUint((fraction + "000000")[:6], 32)
	if err != nil || err2 != nil || len(fraction) > 6 {
		return 0, fmt.Errorf("invalid round-trip time %q", text)
	}
	return time.Duration(ms)*time.Millisecond + time.Duration(ns), nil
}

// parseUint reads decimal digits and nothing else.
func parseUint(text string, bits int) (uint64, error) { return strconv.ParseUint(text, 10, bits) }
