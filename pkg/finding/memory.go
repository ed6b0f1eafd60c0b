// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/host"
)

// memories speaks when the sockets of UDP or TCP together hold nine tenths of what they
// may (the last number of udp_mem and tcp_mem, in pages), which is a warning, or when
// UDP lost datagrams by that in the interval. 6.18 loses them without counting
// (__udp_enqueue_schedule_skb in net/ipv4/udp.c).
func memories(n *node) []found {
	var all []found
	for _, m := range []struct {
		id, name string
		pages    uint64
		counters []string
	}{
		{"udp-memory", "net.ipv4.udp_mem", n.State.SocketPages.UDP, []string{"UdpMemErrors", "Udp6MemErrors"}},
		{"tcp-memory", "net.ipv4.tcp_mem", n.State.SocketPages.TCP, nil},
	} {
		lost := n.everywhere(m.counters)
		limits := n.State.Sysctls.Numbers(m.name)
		full := len(limits) == 3 && float64(m.pages) >= tableFull*float64(limits[2])
		if lost == 0 && !full {
			continue
		}
		f := Finding{ID: m.id, Severity: n.losing(lost)}
		if full && f.Severity == Info {
			f.Severity = Warning
		}
		f.Evidence = []Fact{{"pages", m.pages}, {"lost", lost}}
		f.Explain = say("all sockets of this protocol together hold %d pages, and %d packets were lost because they may not hold more.", m.pages, lost)
		n.double(&f, n.own(), n.State.Sysctls, m.name)
		all = append(all, found{f, n.perSecond(lost)})
	}
	return all
}

// everywhere adds up what counters of all namespaces did.
func (n *node) everywhere(names []string) uint64 {
	var sum uint64
	for _, c := range n.changes[event.CounterProtocol] {
		if slices.Contains(names, c.Name) {
			sum += c.moved
		}
	}
	return sum
}

// double raises every number of a setting.
func (n *node) double(f *Finding, ns host.Namespace, from host.Sysctls, name string) {
	numbers := from.Numbers(name)
	if len(numbers) == 0 {
		return
	}
	var words []string
	for _, value := range numbers {
		words = append(words, number(2*value))
	}
	f.Evidence = append(f.Evidence, Fact{name, from[name]})
	n.set(f, ns, setting{name, from[name], strings.Join(words, " ")})
	f.Cost = "the protocol's sockets may fill twice as much memory"
}
