// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"github.com/dropwatch/dropwatch/pkg/host"
)

const (
	somaxconn  = "net.core.somaxconn"
	synBacklog = "net.ipv4.tcp_max_syn_backlog"
	cookies    = "net.ipv4.tcp_syncookies"

	// queueDefault is somaxconn's since 5.4. Queues beyond queueLargest outlive the
	// patience of clients.
	queueDefault, queueLargest = 4096, 65535
)

// listens speaks when listening sockets refused connections in the interval: because
// the queue of accepted ones was full (or for another reason, ListenDrops), or that of
// half-open ones. Answering with cookies loses nothing and is told for information.
func listens(n *node) []found {
	var all []found
	for _, ns := range n.State.Namespaces {
		all = append(all, n.acceptQueue(ns)...)
		all = append(all, n.synQueue(ns)...)
	}
	return all
}

func (n *node) acceptQueue(ns host.Namespace) []found {
	moved, facts := n.sum(ns, "TcpExtListenDrops")
	overflows, more := n.sum(ns, "TcpExtListenOverflows")
	// A full queue of half-open ones counts as ListenDrops too (tcp_conn_request).
	halfOpen, _ := n.sum(ns, "TcpExtTCPReqQFullDrop")
	if moved -= min(moved, halfOpen); moved == 0 {
		return nil
	}
	f := n.lossIn(ns, "accept-queue", moved, append(facts, more...))
	if overflows == 0 {
		f.Explain = say("listening sockets dropped %d requests for connections, none for a full accept queue: memory, or no way back to the client.", moved)
		return []found{{f, n.perSecond(moved)}}
	}
	limit, _ := ns.Sysctls.Number(somaxconn)
	f.Explain = say("%d times a connection was refused because %d waited already for a program to accept them, or as many as it asked for in listen().", overflows, limit)
	n.raise(&f, ns, ns.Sysctls, 4, span{queueDefault, queueLargest}, somaxconn)
	f.Cost = "the program has to ask for a longer queue in listen() too, and start anew; connections wait longer if it accepts too slowly"
	return []found{{f, n.perSecond(moved)}}
}

func (n *node) synQueue(ns host.Namespace) []found {
	moved, facts := n.sum(ns, "TcpExtTCPReqQFullDrop", "TcpExtTCPReqQFullDoCookies")
	lost, _ := n.sum(ns, "TcpExtTCPReqQFullDrop")
	if moved == 0 {
		return nil
	}
	f := n.lossIn(ns, "syn-queue", lost, facts)
	f.Explain = say("%d requests for connections found the queue of half-open ones full; %d of them were dropped, the others answered with cookies.", moved, lost)
	// The queue is as long as that of accepted ones (reqsk_queue_is_full); without
	// cookies tcp_max_syn_backlog bounds it as well (tcp_conn_request).
	n.raise(&f, ns, ns.Sysctls, 4, span{queueDefault, queueLargest}, somaxconn, synBacklog)
	if ns.Sysctls[cookies] == "0" {
		n.set(&f, ns, setting{cookies, "0", "1"})
	}
	f.Cost = "about 300 bytes for each half-open connection; connections made by cookies lack some TCP options"
	return []found{{f, n.perSecond(moved)}}
}
