// SPDX-License-Identifier: Apache-2.0

package rtt

import "strings"

const (
	hpingReply     = "len="
	hpingDuplicate = "DUP! "
)

// isBroken recognises the first half of a reply in hping3 -V, which ends with the
// length of the IP packet.
func isBroken(line string) bool {
	_, last, _ := cutLast(line, " ")
	return strings.HasPrefix(last, "iplen=")
}

// hping reads "DUP! len=46 ip=10.0.0.2 ttl=64 DF id=0 sport=80 flags=SA seq=5
// win=64240 rtt=12.3 ms", or the same with icmp_seq for the fields of TCP.
func (p *parser) hping(r *Reply, line string) error {
	line, r.Duplicate = strings.CutPrefix(line, hpingDuplicate)
	addr, _ := field(line, "ip")
	var err error
	if r.Addr, err = parseAddr(addr); err != nil {
		return err
	}
	if r.RTT, err = parseRTT(line, "rtt"); err != nil {
		return err
	}
	seq, icmp := field(line, "icmp_seq")
	if !icmp {
		var ok bool
		if seq, ok = field(line, "seq"); !ok {
			return errNoNumber
		}
	}
	return p.number(r, seq, icmp, icmp)
}
