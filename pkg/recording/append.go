// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// appendDrop appends a dropLine without allocating: it runs for every sample.
// cell and stack are their numbers, -1 for no stack.
func appendDrop(b []byte, d *event.Drop, cell, stack int) []byte {
	b = append(b, `{"type":"drop","time_ns":`...)
	b = strconv.AppendInt(b, int64(d.Time), 10)
	b = appendUint(b, "cpu", uint64(d.CPU))
	b = appendUint(b, "cell", uint64(cell))
	b = appendUint(b, "drops", d.Drops)
	if d.Overflow {
		b = append(b, `,"overflow":true`...)
	}
	if stack >= 0 {
		b = appendUint(b, "stack", uint64(stack))
	}
	b = appendString(b, "context", d.Context.String())
	b = appendUint(b, "pid", uint64(d.Task.PID))
	b = appendUint(b, "tgid", uint64(d.Task.TGID))
	b = appendString(b, "comm", d.Task.Comm)
	b = appendNonzero(b, "cgroup", d.Task.Cgroup)
	b = appendNonzero(b, "segments", uint64(d.Segments))
	b = appendUint(b, "len", uint64(d.Len))
	b = appendPacket(b, &d.Packet)
	if len(d.Bytes) > 0 {
		b = append(b, `,"packet":"`...)
		b = base64.StdEncoding.AppendEncode(b, d.Bytes)
		b = append(b, '"')
	}
	return append(b, "}\n"...)
}

func appendPacket(b []byte, p *event.Packet) []byte {
	if p.HasVLAN {
		b = appendUint(b, "vlan", uint64(p.VLAN))
	}
	if p.HasInner {
		b = appendUint(b, "inner_vlan", uint64(p.Inner))
	}
	b = appendNonzero(b, "ethertype", uint64(p.Ethertype))
	if p.Version == 0 {
		return b
	}
	b = appendUint(b, "ip", uint64(p.Version))
	b = appendNonzero(b, "protocol", uint64(p.Protocol))
	b = appendNonzero(b, "ttl", uint64(p.TTL))
	if p.Fragment {
		b = append(b, `,"fragment":true`...)
	}
	b = append(b, `,"src":"`...)
	b = p.Src.AppendTo(b)
	b = append(b, `","dst":"`...)
	b = p.Dst.AppendTo(b)
	b = append(b, '"')
	b = appendNonzero(b, "sport", uint64(p.SrcPort))
	b = appendNonzero(b, "dport", uint64(p.DstPort))
	b = appendNonzero(b, "tcp_flags", uint64(p.TCPFlags))
	if p.HasICMP {
		b = appendUint(b, "icmp_type", uint64(p.ICMPType))
		b = appendNonzero(b, "icmp_code", uint64(p.ICMPCode))
	}
	if p.IsEcho() {
		b = appendUint(b, "echo_id", uint64(p.EchoID))
		b = appendUint(b, "echo_seq", uint64(p.EchoSeq))
	}
	return b
}

func appendUint(b []byte, name string, v uint64) []byte {
	b = append(append(append(b, `,"`...), name...), `":`...)
	return strconv.AppendUint(b, v, 10)
}

func appendNonzero(b []byte, name string, v uint64) []byte {
	if v == 0 {
		return b
	}
	return appendUint(b, name, v)
}

// appendString appends a member whose value is UTF-8, as RFC 8259 spells it.
func appendString(b []byte, name, value string) []byte {
	b = append(append(append(b, `,"`...), name...), `":"`...)
	for _, r := range value {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			const hex = "0123456789abcdef"
			b = append(b, `\u00`...)
			b = append(b, hex[r>>4], hex[r&0xf])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
