// SPDX-License-Identifier: Apache-2.0

package node

import (
	"net/netip"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Socket is a socket of UDP or TCP, as inet_diag describes it.
type Socket struct {
	Netns    event.Netns
	Protocol string // tcp, udp, udplite
	Listens  bool   // TCP in state LISTEN
	Local    netip.AddrPort
	Peer     netip.AddrPort // zero address and port if it is not connected
	Cookie   uint64         // tells it from all others
	Inode    uint32         // of its file in sockfs; 0 if it has none

	// Of a listening socket: connections that wait for accept(2), and how many may. One
	// more fits, as the queue is full when more wait than that (sk_acceptq_is_full,
	// include/net/sock.h).
	Waiting, Backlog uint32

	// Bytes that received packets hold with all that belongs to them, and that they may
	// hold (sk_rmem_alloc, sk_rcvbuf). Twice what SO_RCVBUF was given.
	Held, Buffer uint32

	// Packets that the socket dropped since it was opened (sk_drops). A listening socket
	// counts each in TcpExtListenDrops too (tcp_listendrop, include/net/tcp.h).
	Drops uint32

	Lost      uint64    // of the drops, those in the time of a SocketWatch
	SinceOpen bool      // Lost counts from when the socket was opened
	Holders   []Process // that have the socket open; nil if unknown
}

// Process is a process that has a file open.
type Process struct {
	PID  int
	Comm string // printable (event.Text)
}
