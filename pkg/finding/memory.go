// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// memories speaks when the sockets of UDP or TCP together hold nine tenths of what they
// may (the last number of udp_mem and tcp_mem, in pages), which is a warning, or when
// UDP lost datagrams by that in the interval. 6.18 loses them without counting
// (__udp_enqueue_schedule_skb in net/ipv4/udp.c). TCP counts what it loses by that like
// what a full receive buffer loses (tcp_try_rmem_schedule in net/ipv4/tcp_input.c).
func memories(n *nodeInput) []found {
	var all []found
	for _, m := range []struct {
		id, name string
		pages    uint64
		counters []string
	}{
		{"udp-memory", "net.ipv4.udp_mem", n.State.SocketPages.UDP, []string{"UdpMemErrors", "Udp6MemErrors"}},
		{"tcp-memory", tcpMem, n.State.SocketPages.TCP, prunings},
	} {
		lost, full := n.everywhere(m.counters), n.overMemory(m.name, m.pages)
		if !full && (lost == 0 || m.name == tcpMem) {
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

// overMemory tells whether a protocol's sockets hold nine tenths of what they may.
func (n *nodeInput) overMemory(name string, pages uint64) bool {
	limits := n.State.Sysctls.Numbers(name)
	return len(limits) == 3 && float64(pages) >= tableFull*float64(limits[2])
}

// everywhere adds up what counters of all namespaces did.
func (n *nodeInput) everywhere(names []string) uint64 {
	var sum uint64
	for _, c := range n.changes[event.CounterProtocol] {
		if slices.Contains(names, c.Name) {
			sum += c.moved
		}
	}
	return sum
}

// double raises every number of a setting.
func (n *nodeInput) double(f *Finding, ns node.Namespace, from node.Sysctls, name string) {
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
