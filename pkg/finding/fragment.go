// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"cmp"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/node"
)

const (
	fragments4 = "net.ipv4.ipfrag_high_thresh"
	fragments6 = "net.ipv6.ip6frag_high_thresh"

	// The kernel's default, and what a namespace should not hold of packets that may
	// never become complete.
	fragmentsStandard, fragmentsLargest = 4 << 20, 64 << 20
)

// fragmentMemories speaks when fragments were dropped in the interval because a namespace
// holds as many as it may: a new packet then finds no room until others are complete or
// too old (inet_frag_find in net/ipv4/inet_fragment.c; ipfrag_time is 30 s). The same
// counters count packets that never became complete and fragments that overlap, so that
// either the place of the drops has to say it, or that the memory is full.
func fragmentMemories(n *nodeInput) []found {
	var all []found
	for _, ns := range n.State.Namespaces {
		for _, m := range []struct {
			setting, prefix, function string
			held                      uint64
		}{
			{fragments4, "Ip", "ip_defrag", ns.Fragments.IPv4},
			{fragments6, "Ip6", "ipv6_frag_rcv", ns.Fragments.IPv6},
		} {
			failed, facts := n.sum(ns, m.prefix+"ReasmFails")
			late, _ := n.sum(ns, m.prefix+"ReasmTimeout")
			overlapping, _ := n.sum(ns, m.prefix+"ReasmOverlaps")
			failed -= min(failed, late+overlapping)
			traced := min(failed, n.tracedIn(ns, m.function))
			limit, known := ns.Sysctls.Number(m.setting)
			full := known && float64(m.held) >= tableFull*float64(limit)
			if failed == 0 || traced == 0 && !full {
				continue
			}
			lost := cmp.Or(traced, failed)
			f := n.lossIn(ns, "fragment-memory", lost, append(facts, Fact{"held_bytes", m.held}))
			f.Explain = say("%d fragments were dropped because those of other packets hold as much memory as they may in namespace %s.", lost, ns.Netns)
			n.raise(&f, ns, ns.Sysctls, 4, span{fragmentsStandard, fragmentsLargest}, m.setting)
			f.Cost = say("up to %s for fragments of packets that may never become complete", mebibytes(max(limit, min(max(4*limit, fragmentsStandard), fragmentsLargest))))
			all = append(all, found{f, n.perSecond(lost)})
		}
	}
	return all
}

// tracedIn adds up the drops of a namespace in a function that no reason was given for.
func (n *nodeInput) tracedIn(ns node.Namespace, function string) uint64 {
	var sum uint64
	for _, count := range n.Traced {
		if count.Cell.Netns.Inode != ns.Netns.Inode || count.Cell.Location == nil || dropreason.Of(count.Cell).Class == dropreason.ClassBenign {
			continue
		}
		if symbol, _, _ := strings.Cut(count.Cell.Location.Symbol, "."); symbol == function {
			sum += count.Drops
		}
	}
	return sum
}
