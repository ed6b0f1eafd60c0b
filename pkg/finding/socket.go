// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

const (
	rmemDefault = "net.core.rmem_default"
	rmemMax     = "net.core.rmem_max"
	tcpRmem     = "net.ipv4.tcp_rmem"
	tcpMem      = "net.ipv4.tcp_mem"

	// bufferLargest is a receive buffer beyond which more of it only delays data.
	bufferLargest = 64 << 20

	// bufferStandard is a default that holds the bursts of most programs: four times the
	// kernel's (SK_RMEM_MAX, include/net/sock.h). Each socket may take it.
	bufferStandard = 4 * 212992
)

// receiveBuffers speaks when packets found a socket's receive buffer full in the interval.
func receiveBuffers(n *nodeInput) []found {
	var all []found
	for _, ns := range n.State.Namespaces {
		all = append(all, n.udpBuffer(ns)...)
		all = append(all, n.tcpBuffer(ns)...)
	}
	return all
}

// sum adds up counters of a namespace, and returns those that moved as facts.
func (n *nodeInput) sum(ns node.Namespace, names ...string) (uint64, []Fact) {
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

// lossIn makes a finding of a namespace whose counters moved.
func (n *nodeInput) lossIn(ns node.Namespace, id string, moved uint64, facts []Fact) Finding {
	return Finding{ID: id, Severity: n.losing(moved), Netns: ns.Netns, Evidence: facts}
}

// span is between what a setting is worth at least and what makes no sense any more.
type span struct{ least, most uint64 }

// raise adds settings that are below a span's end, several times as large.
func (n *nodeInput) raise(f *Finding, ns node.Namespace, from node.Sysctls, times uint64, to span, names ...string) {
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

// udpBuffer makes one finding for each program whose sockets were full, by what limits the
// buffer of those: the program, net.core.rmem_default, or net.core.rmem_max.
func (n *nodeInput) udpBuffer(ns node.Namespace) []found {
	moved, facts := n.sum(ns, "UdpRcvbufErrors", "Udp6RcvbufErrors", "UdpLiteRcvbufErrors", "UdpLite6RcvbufErrors")
	if moved == 0 {
		return nil
	}
	var all []found
	losers := n.losers(ns, func(s node.Socket) bool { return s.Protocol != "tcp" })
	for _, l := range losers {
		f := n.foundAt(ns, "udp-receive-buffer", l, facts)
		n.largerBuffer(&f, l)
		all = append(all, found{f, n.perSecond(l.lost)})
	}
	if rest := restOf(moved, losers); rest > 0 {
		f := n.lossIn(ns, "udp-receive-buffer", rest, facts)
		f.Explain = say("%d datagrams came while the receive buffer of their socket was full; the socket was open too shortly to be seen, or could not be looked at.", rest)
		f.Fix = []string{in(ns, "ss -uanmp")}
		f.Cost = "none: it only shows each socket's buffer (rb), what it dropped (d), and its program"
		all = append(all, found{f, n.perSecond(rest)})
	}
	return all
}

// largerBuffer says what limits the buffer. SO_RCVBUF doubles what the program asks for,
// of which rmem_max is the most (__sock_set_rcvbuf in net/core/sock.c). Settings are
// raised so far that the buffer holds a burst, and no further: a program that does not
// keep up fills any buffer.
func (n *nodeInput) largerBuffer(f *Finding, l loser) {
	standard, known := n.State.Sysctls.Number(rmemDefault)
	most, _ := n.State.Sysctls.Number(rmemMax)
	f.Evidence = append(f.Evidence, Fact{rmemDefault, standard}, Fact{rmemMax, most})
	buffer := uint64(l.Buffer)
	f.Explain = say("%s lost %d datagrams at %s, whose receive buffer of %d bytes was full: the program reads too slowly, or the buffer is too small for bursts. ", l.program(), l.lost, l.Local, buffer)
	f.Cost = "a full buffer delays what is in it"
	ask := fmt.Sprintf("# %s has to read faster, or to ask for more than %d with SO_RCVBUF; %s allows %d", l.program(), buffer/2, rmemMax, most)
	switch {
	case !known:
		f.Explain += "What the node's settings allow is not known."
	case buffer == standard && standard < bufferStandard:
		f.Explain += say("That is the node's default, %s.", rmemDefault)
		n.set(f, n.own(), setting{rmemDefault, number(standard), number(min(4*standard, bufferStandard))})
		f.Fix = append(f.Fix, l.restart("a socket takes the default when it is opened"))
		f.Cost = "as much memory for each UDP socket that is not read; " + f.Cost
	case buffer == standard:
		f.Explain += say("That is the node's default, %s, which is large already.", rmemDefault)
		f.Fix = append(f.Fix, ask)
	case buffer == 2*most && most < bufferLargest:
		f.Explain += say("The program asked for as much as %s allows, or more.", rmemMax)
		n.set(f, n.own(), setting{rmemMax, number(most), number(min(4*most, bufferLargest))})
		f.Fix = append(f.Fix, l.restart("SO_RCVBUF is limited when it is set"))
		f.Cost = "programs may ask for as much memory; " + f.Cost
	case buffer < standard:
		f.Explain += say("It differs from %s: the program set SO_RCVBUF, or opened the socket before that was raised. Raising settings changes nothing.", rmemDefault)
		f.Fix = append(f.Fix, ask)
	default:
		f.Explain += say("It differs from %s: the program set SO_RCVBUF. Raising settings changes nothing.", rmemDefault)
		f.Fix = append(f.Fix, ask)
	}
}

// prunings count segments that a full receive buffer had no room for. What TCP only
// collapses (PruneCalled) is not lost, and a try that made no room (RcvPruned) is followed
// by a drop that counts (tcp_data_queue in net/ipv4/tcp_input.c).
var prunings = []string{"TcpExtTCPRcvQDrop", "TcpExtOfoPruned", "TcpExtTCPOFODrop", "TcpExtTCPBacklogDrop"}

// LostSegments returns the namespaces, by inode, where TCP lost segments in the interval
// because a receive buffer was full, so that connections there are worth a look.
func LostSegments(in Input) map[uint32]bool {
	lost := map[uint32]bool{}
	for _, c := range newNode(Input{Counters: in.Counters}).of(event.CounterProtocol, prunings...) {
		if c.moved > 0 {
			lost[c.Netns.Inode] = true
		}
	}
	return lost
}

// tcpBuffer makes one finding for each program. What TCP lost because all its sockets hold
// too much together, memories reports.
func (n *nodeInput) tcpBuffer(ns node.Namespace) []found {
	moved, facts := n.sum(ns, prunings...)
	if moved == 0 || n.overMemory(tcpMem, n.State.SocketPages.TCP) {
		return nil
	}
	losers := n.losers(ns, func(s node.Socket) bool { return s.Protocol == "tcp" && !s.Listens })
	if len(losers) == 0 {
		f := n.lossIn(ns, "tcp-receive-buffer", moved, facts)
		f.Explain = say("TCP threw away %d segments that a full receive buffer had no room for; their senders have to repeat them. No connection that is open now lost any: it was closed, or could not be looked at.", moved)
		f.Fix = []string{in(ns, "ss -tnmp")}
		f.Cost = "none: it only shows each connection's buffer (rb), what it dropped (d), and its program"
		return []found{{f, n.perSecond(moved)}}
	}
	// What each connection lost in the interval is not known: the counters are of all.
	l := losers[0]
	f := n.lossIn(ns, "tcp-receive-buffer", moved, slices.Concat(l.facts(), facts))
	f.Explain = say("TCP threw away %d segments that a full receive buffer had no room for; their senders have to repeat them. Of the open connections, one of %s lost most: its buffer has %d bytes. ", moved, l.program(), uint64(l.Buffer))
	if numbers := ns.Sysctls.Numbers(tcpRmem); len(numbers) == 3 {
		f.Evidence = append(f.Evidence, Fact{tcpRmem, ns.Sysctls[tcpRmem]})
		n.largerWindow(&f, ns, l, numbers)
	}
	return []found{{f, n.perSecond(moved)}}
}

// largerWindow says what limits the buffer of a connection: it grows up to the last number
// of tcp_rmem (tcp_rcvbuf_grow in net/ipv4/tcp_input.c), unless the program set SO_RCVBUF.
func (n *nodeInput) largerWindow(f *Finding, ns node.Namespace, l loser, rmem []uint64) {
	switch buffer, then := uint64(l.Buffer), min(2*rmem[2], bufferLargest); {
	case buffer >= rmem[2] && then > rmem[2]:
		f.Explain += say("That is as much as %s allows.", tcpRmem)
		n.set(f, ns, setting{tcpRmem, ns.Sysctls[tcpRmem], fmt.Sprintf("%d %d %d", rmem[0], rmem[1], then)})
		f.Cost = say("up to %s for each connection that is not read", mebibytes(then))
	case buffer < rmem[1]:
		f.Explain += say("Connections begin with %d: the program set SO_RCVBUF. Raising %s changes nothing.", rmem[1], tcpRmem)
		f.Fix = append(f.Fix, fmt.Sprintf("# %s has to read faster, or not to set SO_RCVBUF: then the buffer grows up to %d", l.program(), rmem[2]))
		f.Cost = say("up to %s for each connection that is not read", mebibytes(rmem[2]))
	default:
		f.Explain += say("%s allows %d: it is the program that reads too slowly, or set SO_RCVBUF.", tcpRmem, rmem[2])
		f.Fix = append(f.Fix, fmt.Sprintf("# %s has to read faster, or not to set SO_RCVBUF", l.program()))
		f.Cost = "none on this node"
	}
}
