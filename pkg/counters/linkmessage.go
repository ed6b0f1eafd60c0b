// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/rtnl"
)

// linkMessage is an RTM_NEWLINK message. Its byte slices point into the message.
type linkMessage struct {
	index   int32
	flags   uint32
	lower   int32  // IFLA_LINK: index of the lower device; of a veth's peer, in its namespace
	name    []byte // up to 15 arbitrary bytes, without the terminating zero
	address []byte // IFLA_ADDRESS: of hardware, or the local address of a tunnel; may be empty
	kind    []byte // "veth", "bond"; empty for hardware and loopback
	xdp     byte   // IFLA_XDP_ATTACHED
	stats   []byte // struct rtnl_link_stats64; shorter on older kernels
}

func parseLink(message []byte) (linkMessage, error) {
	var link linkMessage
	if len(message) < unix.SizeofIfInfomsg {
		return link, fmt.Errorf("parse interface: %d bytes", len(message))
	}
	link.index = int32(binary.NativeEndian.Uint32(message[4:]))
	link.flags = binary.NativeEndian.Uint32(message[8:])
	err := rtnl.Attributes(message[unix.SizeofIfInfomsg:], func(kind uint16, value []byte) error {
		switch kind {
		case unix.IFLA_IFNAME:
			link.name, _ = cut(value, 0)
		case unix.IFLA_ADDRESS:
			link.address = value
		case unix.IFLA_LINK:
			if len(value) >= 4 {
				link.lower = int32(binary.NativeEndian.Uint32(value))
			}
		case unix.IFLA_XDP:
			return rtnl.Attributes(value, func(kind uint16, value []byte) error {
				if kind == unix.IFLA_XDP_ATTACHED && len(value) == 1 {
					link.xdp = value[0]
				}
				return nil
			})
		case unix.IFLA_STATS64:
			link.stats = value
		case unix.IFLA_LINKINFO:
			return rtnl.Attributes(value, func(kind uint16, value []byte) error {
				if kind == unix.IFLA_INFO_KIND {
					link.kind, _ = cut(value, 0)
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return linkMessage{}, fmt.Errorf("parse interface: %w", err)
	}
	return link, nil
}

// native reports whether an XDP program runs in the driver, alone (XDP_ATTACHED_DRV,
// uapi/linux/if_link.h) or with others (XDP_ATTACHED_MULTI).
func (l linkMessage) native() bool { return l.xdp == 1 || l.xdp == 4 }

// isAggregate reports whether the interface is a bond or a team. Their counters are the sums of
// their ports' counters: each packet would be counted twice.
func (l linkMessage) isAggregate() bool {
	return string(l.kind) == "bond" || string(l.kind) == "team"
}

// linkField is a counter in struct rtnl_link_stats64 (uapi/linux/if_link.h). index is the
// number of 64-bit fields before it.
type linkField struct {
	name  string
	index int
}

// linkFields are the counters of losses. rx_otherhost_dropped needs kernel 5.19+.
func linkFields() [18]linkField {
	return [...]linkField{
		{"rx_errors", 4}, {"tx_errors", 5}, {"rx_dropped", 6}, {"tx_dropped", 7}, {"collisions", 9},
		{"rx_length_errors", 10}, {"rx_over_errors", 11}, {"rx_crc_errors", 12}, {"rx_frame_errors", 13},
		{"rx_fifo_errors", 14}, {"rx_missed_errors", 15}, {"tx_aborted_errors", 16}, {"tx_carrier_errors", 17},
		{"tx_fifo_errors", 18}, {"tx_heartbeat_errors", 19}, {"tx_window_errors", 20},
		{"rx_nohandler", 23}, {"rx_otherhost_dropped", 24},
	}
}

// appendLink appends the counters in stats, which may be shorter than the struct.
func appendLink(dst []event.Reading, counter event.Counter, stats []byte) []event.Reading {
	for _, field := range linkFields() {
		if at := field.index * 8; at+8 <= len(stats) {
			counter.Name = field.name
			dst = append(dst, event.Reading{Counter: counter, Value: binary.NativeEndian.Uint64(stats[at:])})
		}
	}
	return dst
}
