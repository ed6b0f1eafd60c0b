// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"encoding/json"
	"time"

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
	Stack      []string         `json:"stack"`
	Packet     []byte           `json:"packet,omitempty"`
}

// EncodeEvent writes a sampled drop as a line of JSON.
func EncodeEvent(enc *json.Encoder, meta *event.Meta, d *event.Drop) error {
	c, p := d.Cell, &d.Packet
	info := dropreason.Of(c)
	e := eventJSON{
		Time: meta.Start.Add(d.Time), CPU: d.CPU, Drops: d.Drops,
		Reason: c.Reason.Name, ReasonCode: c.Reason.Code, Class: info.Class, Inferred: c.Reason.Inferred, Location: c.Location.String(),
		Device: c.Device.Name, Ifindex: c.Device.Index, Netns: c.Netns.Name, NetnsInode: c.Netns.Inode,
		Ethertype: cmp.Or(p.Ethertype, c.Ethertype), Proto: d.Proto(), IP: p.Version, TTL: p.TTL,
		Sport: p.SrcPort, Dport: p.DstPort, Segments: d.Segments, Len: d.Len,
		PID: d.Task.PID, TGID: d.Task.TGID, Comm: d.Task.Comm, Cgroup: d.Task.Cgroup,
		Context: d.Context, Stack: []string{}, Packet: d.Bytes,
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
	if d.Stack != nil {
		for _, f := range d.Stack.Frames {
			e.Stack = append(e.Stack, f.String())
		}
	}
	return enc.Encode(e)
}
