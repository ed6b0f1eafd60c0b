// SPDX-License-Identifier: Apache-2.0

package node

import (
	"net/netip"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Socket is a UDP or TCP socket, as inet_diag reports it.
type Socket struct {
	Netns    event.Netns
	Protocol string // tcp, udp, udplite
	Listens  bool   // TCP in state LISTEN
	Local    netip.AddrPort
	Peer     netip.AddrPort // zero address and port if the socket is not connected
	Cookie   uint64         // unique ID of the socket
	Inode    uint32         // in sockfs; 0 if the socket has no file

	// Of a listening socket: the connections that wait for accept(2), and the limit. The
	// queue is full when more connections wait than the limit, so it takes one more
	// (sk_acceptq_is_full, include/net/sock.h).
	Waiting, Backlog uint32

	// Memory of received packets with overhead, and its limit, in bytes (sk_rmem_alloc,
	// sk_rcvbuf). The limit is twice the value passed to SO_RCVBUF.
	Held, Buffer uint32

	// Packets that the socket dropped since it was opened (sk_drops). A listening socket
	// also counts each in TcpExtListenDrops (tcp_listendrop, include/net/tcp.h).
	Drops uint32

	Lost      uint64    // drops during a SocketWatch
	SinceOpen bool      // Lost counts all drops since the socket was opened
	Holders   []Process // that have the socket open; nil if unknown
}

// Process is a process that has a file open.
type Process struct {
	PID  int
	Comm string // printable (event.Text)
}
