// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

const (
	neighbourFull = 0.8
	// Bytes for a neighbour that may never answer: the kernel's default (SK_WMEM_DEFAULT,
	// include/net/sock.h), and too many.
	unresolvedStandard, unresolvedLargest = 212992, 16 << 20
)

// neighbourTables speaks when a table of neighbours is four fifths full, or refused one
// in the interval: packets to new neighbours are lost then.
func neighbourTables(n *nodeInput) []found {
	var all []found
	for _, table := range n.State.Neighbours {
		prefix := "net." + table.Family + ".neigh.default.gc_thresh"
		limit, ok := n.State.Sysctls.Number(prefix + "3")
		refused := n.neighbourCounter(table.Name, "table_fulls")
		full := ok && float64(table.Entries) >= neighbourFull*float64(limit)
		if !full && refused.moved == 0 {
			continue
		}
		f := Finding{ID: "neighbour-table", Severity: n.losing(refused.moved)}
		if f.Severity == Info {
			f.Severity = Warning
		}
		f.Evidence = append([]Fact{{"table", table.Name}, {"entries", table.Entries}, {"gc_thresh3", limit}}, n.facts("table_fulls", refused)...)
		f.Explain = say("the table of %s neighbours, which all namespaces share, holds %d of at most %d; packets to neighbours that find no place in it are dropped.", table.Family, table.Entries, limit)
		for i, least := range []uint64{1024, 512, 128} { // the kernel's defaults (arp_tbl, nd_tbl)
			n.raise(&f, n.own(), n.State.Sysctls, 4, span{least, 1 << 20}, prefix+number(3-i))
		}
		f.Cost = say("about %s when it is full", mebibytes(4*limit*512))
		all = append(all, found{f, n.perSecond(refused.moved)})
	}
	return all
}

// neighbourQueues speaks when packets that waited for a neighbour's address were pushed
// out by later ones, someLoss or more a second. The counter is of all namespaces: traced
// drops say at which devices. Without them the setting is raised for the hardware and for
// devices made later.
func neighbourQueues(n *nodeInput) []found {
	var all []found
	for _, table := range n.State.Neighbours {
		discarded := n.neighbourCounter(table.Name, "unresolved_discards")
		if n.perSecond(discarded.moved) < someLoss {
			continue
		}
		f := Finding{ID: "neighbour-queue", Severity: n.losing(discarded.moved)}
		f.Evidence = append([]Fact{{"table", table.Name}}, n.facts("unresolved_discards", discarded)...)
		f.Explain = say("%d packets were thrown away while they waited for the address of a %s neighbour that answers late or never; look for it with ip neigh show nud incomplete.", discarded.moved, table.Family)
		if !n.raiseWhereTraced(&f, table.Family) {
			n.raise(&f, n.own(), n.own().Sysctls, 4, span{0, unresolvedLargest}, "net."+table.Family+".neigh.default.unres_qlen_bytes")
			for _, link := range hardware(n.own()) {
				if link.Up {
					n.longerUnresolved(&f, n.own(), link, table.Family)
				}
			}
		}
		f.Cost = "as much memory for each neighbour that does not answer"
		all = append(all, found{f, n.perSecond(discarded.moved)})
	}
	return all
}

// raiseWhereTraced raises the queues of the devices that packets were traced at, and
// reports whether there were any.
func (n *nodeInput) raiseWhereTraced(f *Finding, family string) bool {
	found := false
	for _, ns := range n.State.Namespaces {
		for _, link := range ns.Links {
			if n.queuesFull(ns, link, family) {
				f.Evidence = append(f.Evidence, Fact{"device", title(link) + " in namespace " + ns.Netns.String()})
				n.longerUnresolved(f, ns, link, family)
				found = true
			}
		}
	}
	return found
}

// queuesFull reports whether packets of a family were traced at a device as pushed out.
func (n *nodeInput) queuesFull(ns node.Namespace, link node.Link, family string) bool {
	return slices.ContainsFunc(n.Traced, func(count event.Count) bool {
		six := count.Cell.Ethertype == event.EthertypeIPv6
		return count.Drops > 0 && count.Cell.Reason.Name == "NEIGH_QUEUEFULL" && six == (family == "ipv6") && isAt(count.Cell, ns, link)
	})
}

// longerUnresolved raises what may wait at a device, unless it is as much as makes sense.
func (n *nodeInput) longerUnresolved(f *Finding, ns node.Namespace, link node.Link, family string) {
	now := link.Unresolved.IPv4
	if family == "ipv6" {
		now = link.Unresolved.IPv6
	}
	then := min(max(4*now, unresolvedStandard), unresolvedLargest)
	if now > 0 && then > now && isPlain(link.Name) {
		n.set(f, ns, setting{"net/" + family + "/neigh/" + link.Name + "/unres_qlen_bytes", number(now), number(then)})
	}
}

// neighbourCounter adds up a counter of a table. Its name is the counter's part.
func (n *nodeInput) neighbourCounter(table, name string) change {
	var sum change
	for _, c := range slices.DeleteFunc(n.of(event.CounterNeighbour, name), func(c change) bool { return c.Part != table }) {
		sum.moved += c.moved
		sum.total += c.total
	}
	return sum
}
