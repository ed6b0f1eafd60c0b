// SPDX-License-Identifier: Apache-2.0

package dropreason

// tcpReasons are given by TCP, but for those of signed connections.
var tcpReasons = []Info{
	// segments
	{Name: "TCP_CSUM", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The TCP checksum is wrong: damaged on its way, or broken by a device's offload."},
	{Name: "TCP_FLAGS", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The flags make no sense in the connection's state: no ACK, SYN with FIN, or a stray ACK at a listener."},
	{Name: "TCP_MINTTL", Layer: LayerTCP, Class: ClassPolicy,
		Meaning: "The TTL is below the minimum this socket demands (IP_MINTTL): not from a neighbour."},
	{Name: "TCP_INVALID_SYN", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "A SYN in the middle of a connection: the peer restarted, a port was reused, or an attack."},
	{Name: "TCP_RESET", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "A reset that does not fit the connection, or one sent to a listener; ignored."},

	// setting up and closing
	{Name: "TCP_LISTEN_OVERFLOW", Layer: LayerTCP, Class: ClassLoss,
		Meaning: "The accept queue is full: the application accepts too slowly (listen backlog, net.core.somaxconn)."},
	{Name: "TCP_FASTOPEN", Layer: LayerTCP, Class: ClassBenign,
		Meaning: "Rejected while a Fast Open handshake was not finished, mostly a repeated SYN."},
	{Name: "TCP_CLOSE", Layer: LayerTCP, Class: ClassBenign,
		Meaning: "A segment reached a socket that had just been closed."},
	{Name: "TCP_ABORT_ON_DATA", Layer: LayerTCP, Class: ClassBenign,
		Meaning: "Data came after the application had closed the connection; the peer gets a reset."},

	// data
	{Name: "TCP_OLD_DATA", Layer: LayerTCP, Class: ClassBenign,
		Meaning: "Data already received: the peer retransmitted needlessly, or an ACK was lost."},
	{Name: "TCP_OFOMERGE", Layer: LayerTCP, Class: ClassBenign,
		Meaning: "Out-of-order data that was already waiting in the out-of-order queue."},
	{Name: "TCP_OFO_DROP", Layer: LayerTCP, Class: ClassBenign,
		Meaning: "Out-of-order data that has meanwhile arrived in order too."},
	{Name: "TCP_OFO_QUEUE_PRUNE", Layer: LayerTCP, Class: ClassLoss,
		Meaning: "Out-of-order data thrown away to free the socket's memory (tcp_rmem); the peer must send it again."},
	{Name: "TCP_ZEROWINDOW", Layer: LayerTCP, Class: ClassLoss,
		Meaning: "Data came while the receive window was closed: the application does not read fast enough."},
	{Name: "TCP_OVERWINDOW", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "Data beyond the window that was offered to the peer."},

	// sequence numbers
	{Name: "TCP_OLD_SEQUENCE", Layer: LayerTCP, Class: ClassBenign,
		Meaning: "The segment lies wholly before what was received: a duplicate, keepalive or window probe."},
	{Name: "TCP_INVALID_SEQUENCE", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The segment starts beyond the window that was offered."},
	{Name: "TCP_INVALID_END_SEQUENCE", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The segment ends beyond the window that was offered, and unread data is waiting."},
	{Name: "TCP_INVALID_ACK_SEQUENCE", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The answer to a SYN acknowledges something that was not sent, often from an old connection."},

	// acknowledgements
	{Name: "TCP_OLD_ACK", Layer: LayerTCP, Class: ClassBenign,
		Meaning: "An acknowledgement of what had been acknowledged before."},
	{Name: "TCP_TOO_OLD_ACK", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "An acknowledgement far older than anything in flight: broken middlebox or blind attack."},
	{Name: "TCP_ACK_UNSENT_DATA", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The peer acknowledges data that was never sent."},

	// timestamps
	{Name: "TCP_RFC7323_PAWS", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The timestamp is older than the last one seen: an old duplicate, or hosts mixed up behind a NAT."},
	{Name: "TCP_RFC7323_PAWS_ACK", Layer: LayerTCP, Class: ClassBenign,
		Meaning: "A late acknowledgement, overtaken by newer segments."},
	{Name: "TCP_RFC7323_TW_PAWS", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "Old timestamp for a connection in TIME-WAIT; clients behind one NAT cannot connect this way."},
	{Name: "TCP_RFC7323_TSECR", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "While connecting, the peer echoed a timestamp it was never sent."},
}

// tcpAuthReasons are given to TCP segments signed with MD5 or TCP-AO, and to
// unsigned ones where signatures are required.
var tcpAuthReasons = []Info{
	{Name: "TCP_AUTH_HDR", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The segment carries its MD5 or TCP-AO signature twice, or malformed."},
	{Name: "TCP_MD5NOTFOUND", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The segment has no MD5 signature though this connection requires one."},
	{Name: "TCP_MD5UNEXPECTED", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The segment has an MD5 signature but no MD5 key is set for the peer."},
	{Name: "TCP_MD5FAILURE", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The MD5 signature is wrong: the two ends have different keys."},
	{Name: "TCP_AONOTFOUND", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The segment has no TCP-AO signature though this connection requires one."},
	{Name: "TCP_AOUNEXPECTED", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The segment has a TCP-AO signature but the socket has no TCP-AO keys."},
	{Name: "TCP_AOKEYNOTFOUND", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The segment names a TCP-AO key that is not configured for this peer."},
	{Name: "TCP_AOFAILURE", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The TCP-AO signature is wrong, or only part of the handshake was signed."},
}
