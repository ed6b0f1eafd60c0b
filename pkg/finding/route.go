// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"strings"

	"github.com/dropwatch/dropwatch/pkg/node"
)

const allFilter = "net.ipv4.conf.all.rp_filter"

// reversePaths speaks when packets were dropped in the interval because the way back to
// their sender leaves by another device. The stricter of a device's setting and that
// of all counts, and 2, which is loose, counts for more than 1 (IN_DEV_RPFILTER), so
// that 2 anywhere is enough.
func reversePaths(n *nodeInput) []found {
	var all []found
	for _, ns := range n.State.Namespaces {
		moved, facts := n.sum(ns, "TcpExtIPReversePathFilter")
		if moved == 0 {
			continue
		}
		f := n.lossIn(ns, "rp-filter", moved, facts)
		f.Explain = say("%d packets were dropped because the way back to their sender does not lead out by the device they came in by.", moved)
		f.Cost = "senders can forge the addresses of networks this node reaches by other devices"
		if now := ns.Sysctls[allFilter]; now == "1" {
			f.Evidence = append(f.Evidence, Fact{allFilter, uint64(1)})
			n.set(&f, ns, setting{allFilter, "1", "2"})
		} else {
			n.loosen(&f, ns)
		}
		if len(f.Fix) > 0 {
			// fib_validate_source in net/ipv4/fib_frontend.c: without any route 2 drops too.
			f.Fix = append(f.Fix, "# if no device at all leads back to the sender (ip route get ADDRESS fails), add a route")
		}
		all = append(all, found{f, n.perSecond(moved)})
	}
	return all
}

// loosen adds the devices that are strict on their own.
func (n *nodeInput) loosen(f *Finding, ns node.Namespace) {
	var strict []string
	for _, link := range ns.Links {
		if link.RPFilter != 1 || !isPlain(link.Name) {
			continue
		}
		// Names of devices may hold dots, hence the slashes.
		name := "net/ipv4/conf/" + link.Name + "/rp_filter"
		strict = append(strict, link.Name)
		n.set(f, ns, setting{name, "1", "2"})
	}
	f.Evidence = append(f.Evidence, Fact{"strict_devices", strings.Join(strict, ", ")})
}
