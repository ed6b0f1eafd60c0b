// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/node"
)

// channelsFor returns how many receive queues a device should have: one for each CPU,
// as far as it can; and false if it has them.
func (n *nodeInput) channelsFor(link node.Link) (kind string, now, then uint32, ok bool) {
	c := link.Device.Channels
	kind, now, then = "combined", c.Combined, c.CombinedMax
	if c.CombinedMax == 0 {
		kind, now, then = "rx", c.Rx, c.RxMax
	}
	then = min(then, uint32(len(n.State.CPUs)))
	return kind, now, then, now > 0 && now < then
}

// moreChannels adds to a finding how a device gets more receive queues, if it can.
func (n *nodeInput) moreChannels(f *Finding, ns node.Namespace, link node.Link) {
	kind, now, then, ok := n.channelsFor(link)
	if !ok {
		return
	}
	f.Evidence = append(f.Evidence, Fact{"channels", uint64(now)}, Fact{"channels_possible", uint64(then)})
	name := quote(link.Name)
	n.onDevice(f, ns, link.Name, fmt.Sprintf("ethtool -L %s %s %d", name, kind, then), fmt.Sprintf("ethtool -L %s %s %d", name, kind, now))
	f.Cost = say("%s for the rings of %d more queues; most drivers stop for a moment to change it", mebibytes(uint64(then-now)*uint64(link.Device.Ring.Rx)*buffer(link.MTU)), then-now)
}
