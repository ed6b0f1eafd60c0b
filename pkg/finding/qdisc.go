// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// qdiscs speaks of queueing disciplines that drop. Those that drop to slow senders down,
// or because somebody told them to, are told for information.
func qdiscs(n *nodeInput) []found {
	var all []found
	for _, c := range n.of(event.CounterQdisc, "dropped") {
		if c.moved == 0 {
			continue
		}
		ns := n.namespace(c.Netns)
		link, _ := ns.Find(c.Device)
		q := qdiscOf(link, c.Part)
		f := Finding{ID: "qdisc-drops", Severity: n.losing(c.moved), Device: c.Device, Netns: c.Netns}
		f.Evidence = append([]Fact{{"qdisc", c.Part}}, n.facts("dropped", c)...)
		if onPurpose(q) {
			f.Severity = Info
			f.Explain = say("the qdisc %s of %s dropped %d packets: it does so on purpose, to slow senders down or because it was told to.", c.Part, c.Device, c.moved)
		} else {
			f.Explain = say("the queue of %s, qdisc %s, was full for %d packets: they came faster than the device or its shaper lets them go.", c.Device, c.Part, c.moved)
			n.longerQueue(&f, ns, link, q)
		}
		all = append(all, found{f, n.perSecond(c.moved)})
	}
	return all
}

// qdiscOf finds the qdisc that a counter is of, by "KIND HANDLE", and the parent if it
// has no handle. One that was not found has nothing but its kind.
func qdiscOf(link node.Link, part string) node.Qdisc {
	for _, q := range link.Qdiscs {
		name := q.Kind + " " + q.Handle
		if q.Handle == "0:" && q.Parent != "root" {
			name += " parent " + q.Parent
		}
		if part == name {
			return q
		}
	}
	kind, _, _ := strings.Cut(part, " ")
	return node.Qdisc{Kind: kind}
}

// onPurpose tells the kinds whose drops are their work.
func onPurpose(q node.Qdisc) bool {
	return slices.Contains([]string{"fq_codel", "codel", "fq_pie", "pie", "cake", "red", "sfb", "choke", "netem", "ingress", "clsact"}, q.Kind)
}

// longerQueue adds how a queue gets longer.
func (n *nodeInput) longerQueue(f *Finding, ns node.Namespace, link node.Link, q node.Qdisc) {
	device := quote(link.Name)
	switch {
	case q.Kind == "pfifo_fast" && link.TxQueueLen > 0:
		// Others take the device's length when they are made, this one follows it.
		f.Evidence = append(f.Evidence, Fact{"txqueuelen", uint64(link.TxQueueLen)})
		then := max(4*link.TxQueueLen, 1000)
		n.onDevice(f, ns, link.Name, fmt.Sprintf("ip link set dev %s txqueuelen %d", device, then), fmt.Sprintf("ip link set dev %s txqueuelen %d", device, link.TxQueueLen))
		f.Cost = queueCost
	case q.Limit > 0 && (q.Kind != "tbf" || q.Options != ""):
		f.Evidence = append(f.Evidence, Fact{"limit_" + q.Unit, uint64(q.Limit)})
		n.limit(f, ns, link, q)
		f.Cost = queueCost
	default:
		f.Fix = []string{in(ns, "tc -s -d qdisc show dev "+device)}
		f.Cost = "none: it only shows which queue is full, and its limit"
	}
}

const queueCost = "a longer queue takes longer to empty: what waits in it is late instead of lost"

// limit adds how a qdisc gets a higher limit. One the kernel made, which has no handle,
// is replaced by one like it; those under an mq of its own making need another mq.
func (n *nodeInput) limit(f *Finding, ns node.Namespace, link node.Link, q node.Qdisc) {
	now := uint64(q.Limit)
	then := max(4*now, 1000)
	if q.Unit == "bytes" {
		then = max(4*now, 64<<10)
	}
	device := quote(link.Name)
	replace := func(place string, limit uint64) string {
		return strings.Join(strings.Fields(fmt.Sprintf("tc qdisc replace dev %s %s %s %s limit %d", device, place, q.Kind, q.Options, limit)), " ")
	}
	restore := "tc qdisc del dev " + device + " root"
	place := q.Parent
	if place != "root" {
		place = "parent " + q.Parent
	}
	switch class, ofDefaultMq := strings.CutPrefix(q.Parent, ":"); {
	case ofDefaultMq:
		mq := "tc qdisc replace dev " + device + " root handle 1: mq"
		f.Fix = append(f.Fix, in(ns, mq))
		n.atStart(f, ns, link.Name, mq)
		n.onDevice(f, ns, link.Name, replace("parent 1:"+class, then), restore)
	case q.Handle == "0:":
		n.onDevice(f, ns, link.Name, replace(place, then), restore)
	default:
		place += " handle " + q.Handle
		n.onDevice(f, ns, link.Name, replace(place, then), replace(place, now))
	}
}
