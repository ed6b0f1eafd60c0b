// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"time"
	"unicode/utf8"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// The names of these fields are promised in docs/json.md.
type eventJSON struct {
	Time       time.Time        `json:"time"`
	CPU        int              `json:"cpu"`
	Drops      uint64           `json:"drops"`
	Reason     string           `json:"reason"`
	ReasonCode uint32           `json:"reason_code"`
	Class      dropreason.Class `json:"class"`
	Inferred   bool             `json:"inferred,omitempty"`
	Location   string           `json:"location"`
	Device     string           `json:"device,omitempty"`
	Ifindex    int              `json:"ifindex,omitempty"`
	Netns      string           `json:"netns,omitempty"`
	NetnsInode uint32           `json:"netns_inode,omitempty"`
	Ethertype  uint16           `json:"ethertype,omitempty"`
	Proto      string           `json:"proto"`
	IP         uint8            `json:"ip,omitempty"`
	Src        string           `json:"src,omitempty"`
	Dst        string           `json:"dst,omitempty"`
	Sport      uint16           `json:"sport,omitempty"`
	Dport      uint16           `json:"dport,omitempty"`
	TTL        uint8            `json:"ttl,omitempty"`
	TCPFlags   string           `json:"tcp_flags,omitempty"`
	ICMPType   *uint8           `json:"icmp_type,omitempty"`
	ICMPCode   *uint8           `json:"icmp_code,omitempty"`
	EchoID     *uint16          `json:"echo_id,omitempty"`
	EchoSeq    *uint16          `json:"echo_seq,omitempty"`
	VLAN       *uint16          `json:"vlan,omitempty"`
	InnerVLAN  *uint16          `json:"inner_vlan,omitempty"`
	Segments   uint16           `json:"segments,omitempty"`
	Len        uint32           `json:"len"`
	PID        uint32           `json:"pid"`
	TGID       uint32           `json:"tgid"`
	Comm       string           `json:"comm"`
	Cgroup     uint64           `json:"cgroup,omitempty"`
	Context    event.Context    `json:"context"`
	// Encode adds "stack", an array of strings, and "packet", base64, if there is one.
}

// EventEncoder writes sampled drops as lines of JSON.
type EventEncoder struct {
	out    io.Writer
	meta   *event.Meta
	line   []byte
	values bytes.Buffer // what encode wrote
	encode *json.Encoder
}

// NewEventEncoder returns an encoder of drops of a source with that Meta.
func NewEventEncoder(out io.Writer, meta *event.Meta) *EventEncoder {
	e := &EventEncoder{out: out, meta: meta}
	e.encode = json.NewEncoder(&e.values)
	e.encode.SetEscapeHTML(false)
	return e
}

// Encode writes a sampled drop as a line. The error is that of writing it.
func (e *EventEncoder) Encode(d *event.Drop) error {
	text, err := e.text(newEventJSON(e.meta, d))
	if err != nil {
		return err
	}
	e.line = append(append(e.line[:0], bytes.TrimSuffix(text, []byte("}"))...), `,"stack":[`...)
	if d.Stack != nil {
		for i, f := range d.Stack.Frames {
			if i > 0 {
				e.line = append(e.line, ',')
			}
			if err := e.frame(f); err != nil {
				return err
			}
		}
	}
	e.line = append(e.line, ']')
	if len(d.Bytes) > 0 {
		e.line = append(e.line, `,"packet":"`...)
		e.line = append(base64.StdEncoding.AppendEncode(e.line, d.Bytes), '"')
	}
	e.line = append(e.line, "}\n"...)
	_, err = e.out.Write(e.line)
	return err
}

// text returns a value as encoding/json spells it, valid until the next call.
func (e *EventEncoder) text(value any) ([]byte, error) {
	e.values.Reset()
	err := e.encode.Encode(value)
	return bytes.TrimSuffix(e.values.Bytes(), []byte("\n")), err
}

// frame appends the name and offset of a frame as a string. There may be 256 for each drop,
// and their names need no escapes as a rule.
func (e *EventEncoder) frame(f *event.Frame) error {
	start := len(e.line)
	e.line = append(e.line, '"')
	e.line = append(appendFrameName(e.line, f), '"')
	plain := func(c byte) bool { return c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' }
	for _, c := range e.line[start+1 : len(e.line)-1] {
		if !plain(c) {
			text, err := e.text(f.String())
			e.line = append(e.line[:start], text...)
			return err
		}
	}
	return nil
}

func newEventJSON(meta *event.Meta, d *event.Drop) *eventJSON {
	c, p := d.Cell, &d.Packet
	info := dropreason.Of(c)
	e := &eventJSON{
		Time: meta.Start.Add(d.Time), CPU: d.CPU, Drops: d.Drops,
		Reason: c.Reason.Name, ReasonCode: c.Reason.Code, Class: info.Class, Inferred: c.Reason.Inferred, Location: c.Location.String(),
		Device: c.Device.Name, Ifindex: c.Device.Index, Netns: c.Netns.Name, NetnsInode: c.Netns.Inode,
		Ethertype: cmp.Or(p.Ethertype, c.Ethertype), Proto: d.Proto(), IP: p.Version, TTL: p.TTL,
		Sport: p.SrcPort, Dport: p.DstPort, Segments: d.Segments, Len: d.Len,
		PID: d.Task.PID, TGID: d.Task.TGID, Comm: d.Task.Comm, Cgroup: d.Task.Cgroup,
		Context: d.Context,
	}
	if p.Version != 0 {
		e.Src, e.Dst = p.Src.String(), p.Dst.String()
	}
	if p.Protocol == event.ProtocolTCP && !p.Fragment {
		e.TCPFlags = tcpFlags(p.TCPFlags)
	}
	if p.HasICMP {
		e.ICMPType, e.ICMPCode = &p.ICMPType, &p.ICMPCode
	}
	if p.IsEcho() {
		e.EchoID, e.EchoSeq = &p.EchoID, &p.EchoSeq
	}
	if p.HasVLAN {
		e.VLAN = &p.VLAN
	}
	if p.HasInner {
		e.InnerVLAN = &p.Inner
	}
	return e
}
