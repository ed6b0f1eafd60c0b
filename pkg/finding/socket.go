// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/host"
)

// bufferLargest is a receive buffer beyond which more of it only delays data.
const bufferLargest = 64 << 20

// receiveBuffers speaks when packets found a socket's receive buffer full, or all of
// UDP or TCP over its memory, in the interval.
func receiveBuffers(n *node) []found {
	var all []found
	for _, ns := range n.State.Namespaces {
		all = append(all, n.udpBuffer(ns)...)
		all = append(all, n.udpMemory(ns)...)
		all = append(all, n.tcpBuffer(ns)...)
	}
	return all
}

// sum adds up counters of a namespace, and returns those that moved as facts.
func (n *node) sum(ns host.Namespace, names ...string) (uint64, []Fact) {
	var moved uint64
	var facts []Fact
	for _, name := range names {
		if c := n.ofNamespace(event.CounterProtocol, ns, name); c.moved > 0 {
			moved += c.moved
			facts = append(facts, n.facts(name, c)...)
		}
	}
	return moved, facts
}

// of makes a finding of a namespace whose counters moved.
func (n *node) lossIn(ns host.Namespace, id string, moved uint64, facts []Fact) Finding {
	return Finding{ID: id, Severity: n.losing(moved), Netns: ns.Netns, Evidence: facts}
}

// raise adds settings that are below a limit, several times as large.
func (n *node) raise(f *Finding, ns host.Namespace, from host.Sysctls, times, limit uint64, names ...string) {
	for _, name := range names {
		now, ok := from.Number(name)
		if !ok {
			continue
		}
		f.Evidence = append(f.Evidence, Fact{name, now})
		if then := min(times*now, limit); then > now {
			n.set(f, ns, setting{name, number(now), number(then)})
		}
	}
}

func (n *node) udpBuffer(ns host.Namespace) []found {
	moved, facts := n.sum(ns, "UdpRcvbufErrors", "Udp6RcvbufErrors", "UdpLiteRcvbufErrors", "UdpLite6RcvbufErrors")
	if moved == 0 {
		return nil
	}
	f := n.lossIn(ns, "udp-receive-buffer", moved, facts)
	f.Explain = fmt.Sprintf("%d datagrams came while the receive buffer of their socket was full: its program reads too slowly, or the buffer is too small for the bursts.", moved)
	n.raise(&f, n.own(), n.State.Sysctls, 4, bufferLargest, "net.core.rmem_max", "net.core.rmem_default")
	f.Cost = "as much memory for each UDP socket that is not read; programs that set SO_RCVBUF have to ask for more and start anew; a full buffer delays what is in it"
	return []found{{f, n.perSecond(moved)}}
}

// udpMemory is about what all UDP sockets hold together (udp_mem, in pages).
func (n *node) udpMemory(ns host.Namespace) []found {
	moved, facts := n.sum(ns, "UdpMemErrors", "Udp6MemErrors")
	if moved == 0 {
		return nil
	}
	f := n.lossIn(ns, "udp-memory", moved, facts)
	f.Explain = fmt.Sprintf("%d datagrams came while all UDP sockets together held as much memory as they may.", moved)
	n.double(&f, n.own(), n.State.Sysctls, "net.ipv4.udp_mem", "UDP may fill twice as much memory")
	return []found{{f, n.perSecond(moved)}}
}

// double raises every number of a setting.
func (n *node) double(f *Finding, ns host.Namespace, from host.Sysctls, name, cost string) {
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
	f.Cost = cost
}

// tcpBuffer leaves out what TCP only collapses (PruneCalled), which loses nothing.
func (n *node) tcpBuffer(ns host.Namespace) []found {
	moved, facts := n.sum(ns, "TcpExtTCPRcvQDrop", "TcpExtRcvPruned", "TcpExtOfoPruned", "TcpExtTCPOFODrop", "TcpExtTCPBacklogDrop")
	if moved == 0 {
		return nil
	}
	f := n.lossIn(ns, "tcp-receive-buffer", moved, facts)
	f.Explain = fmt.Sprintf("TCP threw away %d segments that a full receive buffer had no room for; their senders have to repeat them.", moved)
	if numbers := ns.Sysctls.Numbers("net.ipv4.tcp_rmem"); len(numbers) == 3 {
		f.Evidence = append(f.Evidence, Fact{"net.ipv4.tcp_rmem", ns.Sysctls["net.ipv4.tcp_rmem"]})
		if then := min(2*numbers[2], bufferLargest); then > numbers[2] {
			n.set(&f, ns, setting{"net.ipv4.tcp_rmem", ns.Sysctls["net.ipv4.tcp_rmem"], fmt.Sprintf("%d %d %d", numbers[0], numbers[1], then)})
			f.Cost = fmt.Sprintf("up to %s for each connection that is not read", mebibytes(then))
		}
	}
	return []found{{f, n.perSecond(moved)}}
}
