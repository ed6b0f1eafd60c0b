// SPDX-License-Identifier: Apache-2.0

// Package recording reads and writes recordings: JSON Lines in zstd, described in
// docs/recording-format.md. A recording is self-contained, can be streamed, and is
// readable up to wherever it was cut.
package recording

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Schema is the version of the format this package writes. It reads this and all
// older ones.
const Schema = 4 // 1 had no stalls, 2 no counters, 3 no segments, indexes of devices or thresholds

// DefaultName is the file that is written and read unless another is named.
const DefaultName = "drops.jsonl.zst"

// Every line is an object whose first member is its type.
type (
	headerLine struct {
		Type   string `json:"type"` // "header", the first line
		Schema int    `json:"schema"`
		event.Meta
	}

	frameLine struct {
		Type   string        `json:"type"` // "frame"
		ID     int           `json:"id"`
		Addr   event.Address `json:"addr"`
		Symbol string        `json:"symbol,omitempty"`
		Offset uint64        `json:"offset,omitempty"`
		Module string        `json:"module,omitempty"`
	}

	stackLine struct {
		Type   string                    `json:"type"` // "stack"
		ID     int                       `json:"id"`
		Frames numbers[int, framesBound] `json:"frames"` // innermost first
		Cut    bool                      `json:"cut,omitempty"`
	}

	// A cell is written again, whole, when its device or namespace gets another name.
	cellLine struct {
		Type       string `json:"type"` // "cell"
		ID         int    `json:"id"`
		Reason     string `json:"reason"`
		ReasonCode uint32 `json:"reason_code"`
		Inferred   bool   `json:"inferred,omitempty"` // the reason
		Vague      bool   `json:"vague,omitempty"`    // likewise
		Location   int    `json:"location"`           // a frame
		Device     string `json:"device,omitempty"`
		Ifindex    int    `json:"ifindex,omitempty"`
		Netns      uint32 `json:"netns,omitempty"`
		NetnsName  string `json:"netns_name,omitempty"`
		Ethertype  uint16 `json:"ethertype,omitempty"`
		Protocol   uint8  `json:"protocol,omitempty"`
		Family     uint8  `json:"family,omitempty"`
		Overflow   bool   `json:"overflow,omitempty"`
	}

	// packetFields are what a line says of a packet's headers. Members are absent where they
	// do not apply. appendPacket writes them, and packet reads them.
	packetFields struct {
		VLAN      *uint16 `json:"vlan"`
		Inner     *uint16 `json:"inner_vlan"`
		Ethertype uint16  `json:"ethertype"`
		Version   uint8   `json:"ip"`
		Protocol  uint8   `json:"protocol"`
		TTL       uint8   `json:"ttl"`
		Fragment  bool    `json:"fragment"`
		Src       string  `json:"src"`
		Dst       string  `json:"dst"`
		SrcPort   uint16  `json:"sport"`
		DstPort   uint16  `json:"dport"`
		TCPFlags  uint8   `json:"tcp_flags"`
		ICMPType  *uint8  `json:"icmp_type"`
		ICMPCode  uint8   `json:"icmp_code"`
		EchoID    *uint16 `json:"echo_id"`
		EchoSeq   uint16  `json:"echo_seq"`
	}

	// Optional members are absent where they do not apply. appendDrop writes it.
	dropLine struct {
		Type     string        `json:"type"` // "drop"
		Time     time.Duration `json:"time_ns"`
		CPU      int           `json:"cpu"`
		Cell     int           `json:"cell"`
		Drops    uint64        `json:"drops"`
		Overflow bool          `json:"overflow"`
		Stack    *int          `json:"stack"`
		Context  event.Context `json:"context"`
		PID      uint32        `json:"pid"`
		TGID     uint32        `json:"tgid"`
		Comm     string        `json:"comm"`
		Cgroup   uint64        `json:"cgroup"`
		Segments uint16        `json:"segments"`
		Len      uint32        `json:"len"`
		packetFields
		Packet []byte `json:"packet"` // base64
	}

	tickLine struct {
		Type   string                          `json:"type"` // "tick"
		Time   time.Duration                   `json:"time_ns"`
		Counts numbers[[4]uint64, countsBound] `json:"counts"` // cell, drops, bytes and segments since the last tick
		Totals event.Totals                    `json:"totals"`
		Loss   event.Loss                      `json:"lost"`
		Gone   numbers[int, countsBound]       `json:"gone,omitempty"` // cells whose numbers others may have from now on; since schema 4
	}

	counterLine struct {
		Type      string              `json:"type"` // "counter"
		ID        int                 `json:"id"`
		Source    event.CounterSource `json:"source"`
		Name      string              `json:"name"`
		Netns     uint32              `json:"netns,omitempty"`
		NetnsName string              `json:"netns_name,omitempty"`
		Device    string              `json:"device,omitempty"`
		Ifindex   int                 `json:"ifindex,omitempty"`
		Part      string              `json:"part,omitempty"`
	}

	countersLine struct {
		Type   string                         `json:"type"` // "counters"
		Time   time.Duration                  `json:"time_ns"`
		Values numbers[[2]uint64, tableBound] `json:"values"`          // counter and value, of those that are new or changed
		Bases  numbers[[2]uint64, tableBound] `json:"bases,omitempty"` // counter and value, of those that appear and do not start from 0
		Gone   numbers[int, tableBound]       `json:"gone,omitempty"`  // counters that cannot be read any more
		Links  list[linkLine, linksBound]     `json:"links,omitempty"` // that are new or changed
	}

	linkLine struct {
		Name          string `json:"name"`
		Ifindex       int    `json:"ifindex,omitempty"`
		Netns         uint32 `json:"netns"`
		NetnsName     string `json:"netns_name,omitempty"`
		Kind          string `json:"kind,omitempty"`
		Peer          string `json:"peer,omitempty"`
		PeerIfindex   int    `json:"peer_ifindex,omitempty"`
		PeerNetns     uint32 `json:"peer_netns,omitempty"`
		PeerNetnsName string `json:"peer_netns_name,omitempty"`
		NativeXDP     bool   `json:"native_xdp,omitempty"`
	}

	endLine struct {
		Type   string        `json:"type"` // "end", the last line
		Time   time.Duration `json:"time_ns"`
		Totals event.Totals  `json:"totals"`
		Loss   event.Loss    `json:"lost"`

		Stalls *event.StallLoss `json:"stalls,omitempty"` // what became of records of stalls
	}
)
