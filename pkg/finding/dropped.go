// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// strayFrames, per second, are what switches and neighbours send that nobody handles:
// spanning tree, discovery protocols, VLANs of others. They count as dropped.
const strayFrames = 10

// readApart is the divisor of a counter's movement that gives how many packets claims may
// fall short of it: counters of two namespaces, and cells, are read one after the other.
const readApart = 20

// dropped speaks of devices whose rx_dropped or tx_dropped grows by strayFrames or more,
// without what other findings explain and what was traced as benign. It comes last.
func dropped(n *nodeInput) []found {
	var all []found
	for _, c := range n.of(event.CounterLink, "rx_dropped", "tx_dropped") {
		ns := n.namespace(c.Netns)
		moved := n.unclaimed(ns, c.Device, c)
		if n.perSecond(moved) < strayFrames || moved <= c.moved/readApart {
			continue
		}
		name, traced := c.Device, []Fact(nil)
		if link, ok := ns.Find(c.Device); ok {
			if sumsUp(link) {
				continue
			}
			name, traced = title(link), n.tracedMost(ns, link)
		}
		f := Finding{
			ID: "device-dropped", Severity: atMost(Warning, n.losing(moved)), Device: c.Device, Netns: c.Netns,
			Evidence: slices.Concat(n.facts(c.Name, c), traced),
			Explain:  say("%s drops %.0f packets a second (%s): record a trace to see why.", name, n.perSecond(moved), c.Name),
			Fix:      []string{"dropwatch record -d 10s", "dropwatch report --by reason,location,device,netns"},
			Cost:     "none: it only looks",
		}
		all = append(all, found{f, n.perSecond(moved)})
	}
	return all
}
