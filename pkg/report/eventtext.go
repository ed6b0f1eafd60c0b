// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// EventOptions says how much to tell of each sampled drop.
type EventOptions struct {
	Stack bool // a line per frame
	Hex   bool // the packet's bytes, if they were recorded
}

// AppendEvent appends a sampled drop as a line in the manner of tcpdump, with more
// indented lines if asked for.
func AppendEvent(b []byte, meta *event.Meta, d *event.Drop, options EventOptions) []byte {
	b = meta.Start.Add(d.Time).AppendFormat(b, "15:04:05.000000")
	b = fmt.Appendf(b, " %s%s %s: %s at %s [%s, %s/%d, cpu %d]",
		d.Cell.Device, namespace(d.Cell), packetText(&d.Packet, d.Proto(), d.Len), d.Cell.Reason, d.Cell.Location,
		d.Context, d.Task.Comm, d.Task.TGID, d.CPU)
	if d.Segments > 1 {
		b = fmt.Appendf(b, " %d segments", d.Segments)
	}
	if d.Drops != 1 {
		b = fmt.Appendf(b, " ×%d", d.Drops)
	}
	b = append(b, '\n')
	if options.Stack && d.Stack != nil {
		for _, f := range d.Stack.Frames {
			b = append(appendFrame(append(b, '\t'), f), '\n')
		}
	}
	if options.Hex && len(d.Bytes) > 0 {
		for line := range strings.Lines(hex.Dump(d.Bytes)) {
			b = append(append(b, '\t'), line...)
		}
	}
	return b
}

// namespace tells where a device is, unless that is where everybody expects it.
func namespace(c *event.Cell) string { return namespaceOf(c.Netns) }

func namespaceOf(n event.Netns) string {
	if n.Name == "host" || n.Inode == 0 {
		return ""
	}
	return "@" + n.String()
}

// appendFrame appends a frame as its String spells it, and its module. Package fmt takes
// longer, and there may be 256 for each drop.
func appendFrame(b []byte, f *event.Frame) []byte {
	return append(appendFrameName(b, f), module(f)...)
}

func appendFrameName(b []byte, f *event.Frame) []byte {
	name := f.Name()
	if name != f.Symbol || f.Addr == 0 || name[0] == '[' {
		return append(b, name...)
	}
	return strconv.AppendUint(append(append(b, name...), "+0x"...), f.Offset, 16)
}

func module(f *event.Frame) string {
	if f.Module == "" || f.Module == "vmlinux" {
		return ""
	}
	return " [" + f.Module + "]"
}

// packetText spells a packet; proto is what to call one that is not IP.
func packetText(p *event.Packet, proto string, length uint32) string {
	var b strings.Builder
	if p.HasVLAN {
		fmt.Fprintf(&b, "vlan %d, ", p.VLAN)
	}
	if p.HasInner {
		fmt.Fprintf(&b, "vlan %d, ", p.Inner)
	}
	switch p.Version {
	case 0:
		b.WriteString(proto)
		if length > 0 { // else nobody has read it
			fmt.Fprintf(&b, ", length %d", length)
		}
		return b.String()
	case 4:
		b.WriteString("IP ")
	case 6:
		b.WriteString("IP6 ")
	}
	fmt.Fprintf(&b, "%s%s > %s%s: ", p.Src, port(p.SrcPort), p.Dst, port(p.DstPort))
	switch {
	case p.Fragment:
		fmt.Fprintf(&b, "%s fragment", event.ProtocolName(p.Protocol))
	case p.Protocol == event.ProtocolTCP:
		fmt.Fprintf(&b, "Flags [%s]", tcpFlags(p.TCPFlags))
	case p.IsEcho():
		fmt.Fprintf(&b, "%s echo %s, id %d, seq %d", event.ProtocolName(p.Protocol), echo(p), p.EchoID, p.EchoSeq)
	case p.HasICMP:
		fmt.Fprintf(&b, "%s type %d code %d", event.ProtocolName(p.Protocol), p.ICMPType, p.ICMPCode)
	default:
		b.WriteString(event.ProtocolName(p.Protocol))
	}
	fmt.Fprintf(&b, ", length %d", length)
	return b.String()
}

func port(n uint16) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(".%d", n)
}

func echo(p *event.Packet) string {
	if p.ICMPType == 8 || p.ICMPType == 128 {
		return "request"
	}
	return "reply"
}

// tcpFlags spells TCP's flags with tcpdump's letters.
func tcpFlags(flags uint8) string {
	var b strings.Builder
	for _, f := range []struct {
		bit    uint8
		letter byte
	}{{0x01, 'F'}, {0x02, 'S'}, {0x04, 'R'}, {0x08, 'P'}, {0x20, 'U'}, {0x40, 'E'}, {0x80, 'W'}, {0x10, '.'}} {
		if flags&f.bit != 0 {
			b.WriteByte(f.letter)
		}
	}
	if b.Len() == 0 {
		return "none"
	}
	return b.String()
}
