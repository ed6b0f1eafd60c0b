// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"github.com/dropwatch/dropwatch/pkg/event"
)

// strayFrames, per second, are what switches and neighbours send that nobody handles:
// spanning tree, discovery protocols, VLANs of others. They count as dropped.
const strayFrames = 10

// dropped speaks of devices whose rx_dropped or tx_dropped grows by strayFrames or more,
// without what full backlogs explain, which count at the device as well. Why is for a
// trace to tell: devices drop for many reasons under one name.
func dropped(n *node) []found {
	backlog := n.machine(event.CounterSoftnet, "dropped").moved
	var all []found
	for _, c := range n.of(event.CounterLink, "rx_dropped", "tx_dropped") {
		if c.Name == "rx_dropped" && c.moved <= backlog || n.perSecond(c.moved) < strayFrames {
			continue
		}
		name := c.Device
		if link, ok := n.namespace(c.Netns).Find(c.Device); ok {
			if sumsUp(link) {
				continue
			}
			name = title(link)
		}
		f := Finding{
			ID: "device-dropped", Severity: atMost(Warning, n.losing(c.moved)), Device: c.Device, Netns: c.Netns,
			Evidence: n.facts(c.Name, c),
			Explain:  say("%s drops %.0f packets a second (%s); what they died of, a trace tells.", name, n.perSecond(c.moved), c.Name),
			Fix:      []string{"dropwatch record -d 10s", "dropwatch report --by reason,location,device"},
			Cost:     "none: it only looks",
		}
		all = append(all, found{f, n.perSecond(c.moved)})
	}
	return all
}
