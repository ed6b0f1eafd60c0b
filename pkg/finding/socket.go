// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/host"
)

// bufferLargest is a receive buffer beyond which more of it only delays data.
const bufferLargest = 64 << 20

// receiveBuffers speaks when packets found a socket's receive buffer full in the interval.
func receiveBuffers(n *node) []found {
	var all []found
	for _, ns := range n.State.Namespaces {
		all = append(all, n.udpBuffer(ns)...)
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

// span is between what a setting is worth at least and what makes no sense any more.
type span struct{ least, most uint64 }

// raise adds settings that are below a span's end, several times as large.
func (n *node) raise(f *Finding, ns host.Namespace, from host.Sysctls, times uint64, to span, names ...string) {
	for _, name := range names {
		now, ok := from.Number(name)
		if !ok {
			continue
		}
		f.Evidence = append(f.Evidence, Fact{name, now})
		if then := min(max(times*now, to.least), to.most); then > now {
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
	f.Explain = say("%d datagrams came while the receive buffer of their socket was full: its program reads too slowly, or the buffer is too small for the bursts.", moved)
	n.raise(&f, n.own(), n.State.Sysctls, 4, span{0, bufferLargest}, "net.core.rmem_max", "net.core.rmem_default")
	f.Cost = "as much memory for each UDP socket that is not read; programs that set SO_RCVBUF have to ask for more and start anew; a full buffer delays what is in it"
	return []found{{f, n.perSecond(moved)}}
}

// tcpBuffer leaves out what TCP only collapses (PruneCalled), which loses nothing.
func (n *node) tcpBuffer(ns host.Namespace) []found {
	moved, facts := n.sum(ns, "TcpExtTCPRcvQDrop", "TcpExtRcvPruned", "TcpExtOfoPruned", "TcpExtTCPOFODrop", "TcpExtTCPBacklogDrop")
	if moved == 0 {
		return nil
	}
	f := n.lossIn(ns, "tcp-receive-buffer", moved, facts)
	f.Explain = say("TCP threw away %d segments that a full receive buffer had no room for; their senders have to repeat them.", moved)
	if numbers := ns.Sysctls.Numbers("net.ipv4.tcp_rmem"); len(numbers) == 3 {
		f.Evidence = append(f.Evidence, Fact{"net.ipv4.tcp_rmem", ns.Sysctls["net.ipv4.tcp_rmem"]})
		if then := min(2*numbers[2], bufferLargest); then > numbers[2] {
			n.set(&f, ns, setting{"net.ipv4.tcp_rmem", ns.Sysctls["net.ipv4.tcp_rmem"], fmt.Sprintf("%d %d %d", numbers[0], numbers[1], then)})
			f.Cost = say("up to %s for each connection that is not read", mebibytes(then))
		}
	}
	return []found{{f, n.perSecond(moved)}}
}
