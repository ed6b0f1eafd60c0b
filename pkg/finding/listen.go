// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"slices"

	"github.com/dropwatch/dropwatch/pkg/node"
)

const (
	somaxconn  = "net.core.somaxconn"
	synBacklog = "net.ipv4.tcp_max_syn_backlog"
	cookies    = "net.ipv4.tcp_syncookies"

	// queueDefault is somaxconn's since 5.4. Queues beyond queueLargest outlive the
	// patience of clients.
	queueDefault, queueLargest = 4096, 65535
)

// listens speaks when listening sockets dropped requests for connections in the interval.
// Answering with cookies loses nothing and is reported for information.
func listens(n *nodeInput) []found {
	var all []found
	for _, ns := range n.State.Namespaces {
		all = append(all, n.listens(ns)...)
	}
	return all
}

// requests are what a namespace's listening sockets counted.
type requests struct {
	dropped  uint64 // TcpExtListenDrops: all that follow but cookies, and more
	overflow uint64 // the accept queue was full
	halfOpen uint64 // the queue of half-open ones was full (tcp_syn_flood_action)
	cookies  uint64 // it was full, and they were answered with cookies
	facts    []Fact
}

func (n *nodeInput) requests(ns node.Namespace) (r requests) {
	sum := func(name string) uint64 {
		moved, facts := n.sum(ns, name)
		r.facts = append(r.facts, facts...)
		return moved
	}
	r.dropped, r.overflow = sum("TcpExtListenDrops"), sum("TcpExtListenOverflows")
	r.halfOpen, r.cookies = sum("TcpExtTCPReqQFullDrop"), sum("TcpExtTCPReqQFullDoCookies")
	r.dropped = max(r.dropped, r.overflow, r.halfOpen)
	return r
}

// listens makes one finding for each program. Its backlog limits both queues
// (sk_acceptq_is_full, inet_csk_reqsk_queue_is_full), so that a full one of half-open
// connections is reported apart only where the accept queue was never full.
func (n *nodeInput) listens(ns node.Namespace) []found {
	r := n.requests(ns)
	if r.dropped == 0 && r.cookies == 0 {
		return nil
	}
	losers := n.losers(ns, func(s node.Socket) bool { return s.Listens })
	switch {
	case r.dropped == 0:
		return n.cookied(ns, r)
	case r.overflow == 0 && r.halfOpen == 0 && ns.Sysctls[cookies] != "0":
		return n.refused(ns, r, losers)
	}
	id := "accept-queue"
	if r.overflow == 0 {
		id = "syn-queue"
	}
	var all []found
	for _, l := range losers {
		f := n.foundAt(ns, id, l, r.facts)
		n.longerBacklog(&f, ns, l)
		if id == "syn-queue" {
			n.halfOpen(&f, ns, l)
		}
		all = append(all, found{f, n.perSecond(l.lost)})
	}
	if rest := restOf(r.dropped, losers); rest > 0 {
		f := n.lossIn(ns, id, rest, r.facts)
		f.Explain = say("listening sockets dropped %d requests for connections because a queue was full; they were open too shortly to be seen, or could not be looked at.", rest)
		f.Fix = []string{in(ns, "ss -lnt")}
		f.Cost = "none: it only shows each backlog (Send-Q) and how many wait (Recv-Q)"
		all = append(all, found{f, n.perSecond(rest)})
	}
	return all
}

// longerBacklog says what limits a queue: the program, or the setting that cuts what it
// asks for (__sys_listen in net/socket.c).
func (n *nodeInput) longerBacklog(f *Finding, ns node.Namespace, l loser) {
	limit, known := ns.Sysctls.Number(somaxconn)
	if known {
		f.Evidence = append(f.Evidence, Fact{somaxconn, limit})
	}
	f.Explain = say("%s lost %d requests for connections at %s, where it listens with a backlog of %d. ", l.program(), l.lost, l.Local, uint64(l.Backlog))
	f.Cost = "connections wait longer if the program accepts too slowly"
	then := min(max(4*limit, queueDefault), queueLargest)
	switch backlog := uint64(l.Backlog); {
	case !known:
		f.Explain += "How much the namespace allows is not known."
	case backlog < limit:
		f.Explain += say("The program asked for that: %s allows %d, and raising it changes nothing.", somaxconn, limit)
		f.Fix = append(f.Fix, fmt.Sprintf("# %s has to call listen() with a backlog above %d; %s allows %d", l.program(), backlog, somaxconn, limit))
	case then > limit:
		f.Explain += say("%s allows no more.", somaxconn)
		n.set(f, ns, setting{somaxconn, number(limit), number(then)})
		f.Fix = append(f.Fix, l.restart("listen() takes the limit when it is called"))
	default:
		f.Explain += "A longer queue would only make clients wait: the program has to accept faster."
	}
}

// halfOpen adds what else bounds half-open connections: without cookies, three quarters of
// tcp_max_syn_backlog (tcp_conn_request in net/ipv4/tcp_input.c).
func (n *nodeInput) halfOpen(f *Finding, ns node.Namespace, l loser) {
	f.Explain += " Too many of them were half open: clients did not answer, or a flood of SYNs."
	if ns.Sysctls[cookies] != "0" {
		return
	}
	n.set(f, ns, setting{cookies, "0", "1"})
	f.Cost = "connections made by cookies lack some TCP options"
	if limit, ok := ns.Sysctls.Number(synBacklog); ok {
		f.Evidence = append(f.Evidence, Fact{synBacklog, limit})
	}
}

// cookied is for requests that were answered with cookies.
func (n *nodeInput) cookied(ns node.Namespace, r requests) []found {
	f := n.lossIn(ns, "syn-queue", 0, r.facts)
	f.Explain = say("%d requests for connections found the queue of half-open ones full and were answered with cookies, which loses none: clients do not answer, or a listener's backlog is short (ss -lnt: Send-Q).", r.cookies)
	return []found{{f, n.perSecond(r.cookies)}}
}

// refused is for requests that were dropped though no queue was full.
func (n *nodeInput) refused(ns node.Namespace, r requests, losers []loser) []found {
	facts := r.facts
	if len(losers) > 0 {
		facts = slices.Concat(losers[0].facts(), facts)
	}
	f := n.lossIn(ns, "accept-queue", r.dropped, facts)
	f.Explain = say("listening sockets dropped %d requests for connections, none for a full queue: memory, or no way back to the client.", r.dropped)
	return []found{{f, n.perSecond(r.dropped)}}
}
