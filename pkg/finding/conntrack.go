// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"github.com/dropwatch/dropwatch/pkg/event"
)

const (
	conntrackMax     = "net.netfilter.nf_conntrack_max"
	conntrackBuckets = "net.netfilter.nf_conntrack_buckets"
	conntrackCount   = "net.netfilter.nf_conntrack_count"

	tableNote, tableFull = 0.75, 0.9

	conntrackEntry = 400 // bytes: struct nf_conn with its extensions, about
)

// conntracks speaks when a namespace's table of connections is three quarters full (a
// warning from nine tenths on), or refused or threw out entries in the interval.
func conntracks(n *nodeInput) []found {
	var all []found
	limit, ok := n.State.Sysctls.Number(conntrackMax)
	for _, ns := range n.State.Namespaces {
		count, _ := ns.Sysctls.Number(conntrackCount)
		refused := n.ofNamespace(event.CounterConntrack, ns, "drop")
		evicted := n.ofNamespace(event.CounterConntrack, ns, "early_drop")
		moved := refused.moved + evicted.moved
		full := ok && limit > 0 && float64(count) >= tableNote*float64(limit)
		if moved == 0 && !full {
			continue
		}
		f := Finding{ID: "conntrack-table", Severity: n.losing(moved), Netns: ns.Netns}
		if f.Severity == Info && float64(count) >= tableFull*float64(limit) {
			f.Severity = Warning
		}
		f.Evidence = append([]Fact{{"nf_conntrack_count", count}, {"nf_conntrack_max", limit}}, n.facts("drop", refused)...)
		f.Evidence = append(f.Evidence, n.facts("early_drop", evicted)...)
		f.Explain = say("the table of connections holds %d of at most %d; when it is full, packets of new connections are dropped.", count, limit)
		if ok {
			n.moreConntrack(&f, limit)
		}
		all = append(all, found{f, n.perSecond(moved)})
	}
	return all
}

// moreConntrack doubles the table and, with it, its hash, unless that is longer already:
// in this order, so that chains do not grow meanwhile. Both belong to the machine, not to a namespace.
func (n *nodeInput) moreConntrack(f *Finding, limit uint64) {
	var changes []setting
	buckets, ok := n.State.Sysctls.Number(conntrackBuckets)
	if ok && buckets < 2*limit {
		changes = append(changes, setting{conntrackBuckets, number(buckets), number(2 * buckets)})
	}
	n.set(f, n.own(), append(changes, setting{conntrackMax, number(limit), number(2 * limit)})...)
	f.Cost = say("%s when it is full, and %s for the hash", mebibytes(limit*conntrackEntry), mebibytes(buckets*8))
}
