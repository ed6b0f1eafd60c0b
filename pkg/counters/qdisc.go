// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"encoding/binary"
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/rtnl"
)

// qdisc is an RTM_NEWQDISC message.
type qdisc struct {
	qdiscID
	device     int32 // index of the interface
	counted    bool  // the message has statistics
	drops      uint32
	overlimits uint32
}

// qdiscID identifies a qdisc of a device. Default qdiscs, which the kernel creates itself, have
// handle 0 and differ only in their parents.
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

// parseQdisc parses a message. kinds interns the kinds.
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

// statistics decodes struct gnet_stats_queue: qlen, backlog, drops, requeues, overlimits.
func (q *qdisc) statistics(kind uint16, value []byte) error {
	if kind == tcaStatsQueue && len(value) >= 20 {
		q.counted = true
		q.drops = binary.NativeEndian.Uint32(value[8:])
		q.overlimits = binary.NativeEndian.Uint32(value[16:])
	}
	return nil
}

// isAggregate reports whether the statistics of the qdisc are the sums of its children's
// (mq_dump_common, mqprio_dump). It is also true for noqueue, which has no statistics.
func (q *qdisc) isAggregate() bool {
	return q.kind == "mq" || q.kind == "mqprio" || q.kind == "noqueue"
}

// nested reports whether the parent also counts the drops of the qdisc
// (qdisc_tree_reduce_backlog and the enqueue functions of classful qdiscs). Parents that only
// spread packets over the queues of a device do not.
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
		if outer.handle != 0 || outer.parent == tcHandleRoot { // without a handle only the root has children
			return !outer.isAggregate() && outer.kind != "taprio"
		}
	}
	return false
}

// String formats a qdisc as tc does: "tbf 1:", and "fq_codel 0: parent :3" if only the parent
// identifies it.
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

// intern returns the same string for equal names of kinds.
func intern(kinds map[string]string, name []byte) string {
	text, ok := kinds[string(name)]
	if !ok {
		text = event.Text(name)
		kinds[string(name)] = text
	}
	return text
}
