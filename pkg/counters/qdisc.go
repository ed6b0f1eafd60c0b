// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"encoding/binary"
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/rtnl"
)

// qdisc is what an RTM_NEWQDISC says of a queueing discipline.
type qdisc struct {
	qdiscID
	device     int32 // index of the interface
	counted    bool  // it has statistics
	drops      uint32
	overlimits uint32
}

// qdiscID tells the disciplines of a device apart. Those that the kernel made by itself
// have handle 0, so that only their parents differ.
type qdiscID struct {
	kind           string
	handle, parent uint32
}

// From uapi/linux/rtnetlink.h, gen_stats.h and pkt_sched.h.
const (
	sizeofTcmsg   = 20
	tcaKind       = 1
	tcaStats2     = 7
	tcaStatsQueue = 3 // struct gnet_stats_queue
	tcHandleRoot  = 0xffffffff
)

// parseQdisc parses a message; kinds keeps the names of kinds.
func parseQdisc(message []byte, kinds map[string]string) (qdisc, error) {
	var q qdisc
	if len(message) < sizeofTcmsg {
		return q, fmt.Errorf("parse qdisc: %d bytes", len(message))
	}
	q.device = int32(binary.NativeEndian.Uint32(message[4:]))
	q.handle = binary.NativeEndian.Uint32(message[8:])
	q.parent = binary.NativeEndian.Uint32(message[12:])
	err := rtnl.Attributes(message[sizeofTcmsg:], func(kind uint16, value []byte) error {
		switch kind {
		case tcaKind:
			name, _ := cut(value, 0)
			q.kind = intern(kinds, name)
		case tcaStats2:
			return rtnl.Attributes(value, q.statistics)
		}
		return nil
	})
	if err != nil {
		return qdisc{}, fmt.Errorf("parse qdisc: %w", err)
	}
	return q, nil
}

// statistics reads struct gnet_stats_queue: qlen, backlog, drops, requeues, overlimits.
func (q *qdisc) statistics(kind uint16, value []byte) error {
	if kind == tcaStatsQueue && len(value) >= 20 {
		q.counted = true
		q.drops = binary.NativeEndian.Uint32(value[8:])
		q.overlimits = binary.NativeEndian.Uint32(value[16:])
	}
	return nil
}

// sums tells of those whose statistics are the sums of those inside (mq_dump_common,
// mqprio_dump), and of noqueue, which has none.
func (q *qdisc) sums() bool {
	return q.kind == "mq" || q.kind == "mqprio" || q.kind == "noqueue"
}

// nested says whether a drop in this discipline is counted by the one around it too
// (qdisc_tree_reduce_backlog and the enqueue functions of classful ones). Those that
// only spread packets over the queues of a device do not.
func nested(q *qdisc, others []qdisc) bool {
	const reserved = 0xffff // root, ingress, clsact
	if q.parent>>16 == reserved {
		return false
	}
	for i := range others {
		outer := &others[i]
		if outer.device != q.device || outer.handle>>16 != q.parent>>16 {
			continue
		}
		if outer.handle != 0 || outer.parent == tcHandleRoot { // none without a number has others inside, but the root
			return !outer.sums() && outer.kind != "taprio"
		}
	}
	return false
}

// String spells a discipline as tc does: "tbf 1:", and "fq_codel 0: parent :3" if only
// its place tells it from others.
func (id qdiscID) String() string {
	text := fmt.Sprintf("%s %x:", id.kind, id.handle>>16)
	if id.handle != 0 || id.parent == tcHandleRoot {
		return text
	}
	if major := id.parent >> 16; major != 0 {
		return fmt.Sprintf("%s parent %x:%x", text, major, id.parent&0xffff)
	}
	return fmt.Sprintf("%s parent :%x", text, id.parent&0xffff)
}

// intern returns the name of a kind, each once.
func intern(kinds map[string]string, name []byte) string {
	text, ok := kinds[string(name)]
	if !ok {
		text = event.Text(name)
		kinds[string(name)] = text
	}
	return text
}
