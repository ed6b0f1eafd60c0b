// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"github.com/dropwatch/dropwatch/pkg/event"
)

// checksums speaks when packets came with a bad checksum in the interval.
func checksums(n *nodeInput) []found {
	var all []found
	for _, ns := range n.State.Namespaces {
		moved, facts := n.sum(ns, "UdpInCsumErrors", "TcpInCsumErrors", "IcmpInCsumErrors", "IpExtInCsumErrors",
			"Udp6InCsumErrors", "Icmp6InCsumErrors", "UdpLiteInCsumErrors", "UdpLite6InCsumErrors")
		if moved == 0 {
			continue
		}
		f := n.lossIn(ns, "checksum", moved, facts)
		f.Explain = say("%d packets had a bad checksum: something on their way, or a device that computes them, changes packets.", moved)
		for _, link := range hardware(ns) {
			if link.Up && link.Device.RxChecks {
				f.Fix = append(f.Fix, in(ns, "ethtool -K "+quote(link.Name)+" rx off"))
				f.Undo = append(f.Undo, in(ns, "ethtool -K "+quote(link.Name)+" rx on"))
			}
		}
		if len(f.Fix) > 0 {
			f.Explain += " If the errors end with a device's own checking off, it is the device."
			f.Cost = "checksums are computed by the CPU"
		}
		all = append(all, found{f, n.perSecond(moved)})
	}
	return all
}

// frameChecks speaks when frames came damaged in the interval (rx_crc_errors): cables and
// transceivers, which no setting mends.
func frameChecks(n *nodeInput) []found {
	var all []found
	for _, c := range n.of(event.CounterLink, "rx_crc_errors") {
		ns := n.namespace(c.Netns)
		if link, ok := ns.Find(c.Device); c.moved == 0 || ok && sumsUp(link) {
			continue
		}
		severity := n.losing(c.moved)
		if severity == Info {
			severity = Warning
		}
		all = append(all, found{Finding{
			ID: "crc", Severity: severity, Device: c.Device, Netns: c.Netns,
			Evidence: n.facts(c.Name, c),
			Explain:  say("%d frames came damaged over the wire of %s: clean or change its cable, transceiver, or port.", c.moved, c.Device),
			Fix:      []string{in(ns, "ethtool -m "+quote(c.Device))},
			Cost:     "none: it only shows the transceiver's light and temperature",
		}, n.perSecond(c.moved)})
	}
	return all
}
