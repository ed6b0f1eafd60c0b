// SPDX-License-Identifier: Apache-2.0

package dropreason

// tcpReasons are given by TCP, but for those of signed connections.
var tcpReasons = []Info{
	// segments
	{Name: "TCP_CSUM", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The TCP checksum is wrong: damaged on its way, or broken by a device's offload.",
		Check:   "tcpdump -vvni DEV tcp: incorrect cksum of received packets; ethtool -S DEV: errors; nstat -az TcpInCsumErrors",
		Change: "Replace what damages packets; if one NIC or virtual device alone shows it, turn its offload off: " +
			"ethtool -K DEV rx off (sender: tx off).",
		Counters: []string{"TcpInCsumErrors", "TcpInErrs"}},
	{Name: "TCP_FLAGS", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The flags make no sense in the connection's state: no ACK, SYN with FIN, or a stray ACK at a listener.",
		Check:    "tcpdump -ni DEV tcp: flags, and who sends; dropwatch report --by flow",
		Change:   "Scans and strays need nothing; else look for a middlebox or load balancer that lost the connection's state.",
		Counters: []string{"ss -m: d"}},
	{Name: "TCP_MINTTL", Layer: LayerTCP, Class: ClassPolicy,
		Meaning: "The TTL is below the minimum this socket demands (IP_MINTTL): not from a neighbour.",
		Check:   "dropwatch events -v: ttl and peer; the socket's IP_MINTTL or IPV6_MINHOPCOUNT (BGP: ttl-security)",
		Change: "Give both peers the same ttl-security, with the true number of hops; else the sender is not who " +
			"it claims to be.",
		Counters: []string{"TcpExtTCPMinTTLDrop", "ss -m: d"}},
	{Name: "TCP_INVALID_SYN", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "A SYN in the middle of a connection: the peer restarted, a port was reused, or an attack.",
		Check: "ss -tno: the connection and its age; tcpdump -vvni DEV host PEER: a SYN with the ports of an open " +
			"connection; nstat -az TcpExtTCPSYNChallenge",
		Change: "Look for a peer that restarts, or a NAT that gives a port away too early: shorter keepalives " +
			"here, longer timeouts there.",
		Counters: []string{"TcpExtTCPSYNChallenge", "TcpInErrs", "ss -m: d"}},
	{Name: "TCP_RESET", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "A reset that does not fit the connection, or one sent to a listener; ignored.",
		Check:   "tcpdump -ni DEV 'tcp[tcpflags] & tcp-rst != 0': who sends; nstat -az TcpExtTCPChallengeACK",
		Change: "Nothing against forged ones; if connections hang, find the firewall or load balancer that resets " +
			"with a wrong sequence number.",
		Counters: []string{"TcpExtTCPChallengeACK", "TcpExtTCPACKSkippedChallenge", "ss -m: d"}},

	// setting up and closing
	{Name: "TCP_LISTEN_OVERFLOW", Layer: LayerTCP, Class: ClassLoss,
		Meaning: "The accept queue is full: the application accepts too slowly (listen backlog, net.core.somaxconn).",
		Check:   "ss -ltn: Recv-Q beyond Send-Q, the limit; nstat -az TcpExtListenOverflows",
		Change: "Have the application accept faster (more threads); raise its listen backlog and sysctl -w " +
			"net.core.somaxconn=N, then restart it: the limit is set by listen().",
		Counters: []string{"TcpExtListenOverflows", "TcpExtListenDrops", "ss -m: d"},
		Sysctls:  []string{"net.core.somaxconn"}},
	{Name: "TCP_FASTOPEN", Layer: LayerTCP, Class: ClassBenign,
		Meaning:  "Rejected while a Fast Open handshake was not finished, mostly a repeated SYN.",
		Counters: []string{"ss -m: d"},
		Sysctls:  []string{"net.ipv4.tcp_fastopen"}},
	{Name: "TCP_CLOSE", Layer: LayerTCP, Class: ClassBenign,
		Meaning: "A segment reached a socket that had just been closed."},
	{Name: "TCP_ABORT_ON_DATA", Layer: LayerTCP, Class: ClassBenign,
		Meaning:  "Data came after the application had closed the connection; the peer gets a reset.",
		Counters: []string{"TcpExtTCPAbortOnData", "TcpOutRsts"}},

	// data
	{Name: "TCP_OLD_DATA", Layer: LayerTCP, Class: ClassBenign,
		Meaning:  "Data already received: the peer retransmitted needlessly, or an ACK was lost.",
		Counters: []string{"TcpExtDelayedACKLost", "ss -m: d"}},
	{Name: "TCP_OFOMERGE", Layer: LayerTCP, Class: ClassBenign,
		Meaning:  "Out-of-order data that was already waiting in the out-of-order queue.",
		Counters: []string{"TcpExtTCPOFOMerge", "ss -m: d"}},
	{Name: "TCP_OFO_DROP", Layer: LayerTCP, Class: ClassBenign,
		Meaning:  "Out-of-order data that has meanwhile arrived in order too.",
		Counters: []string{"ss -m: d"}},
	{Name: "TCP_OFO_QUEUE_PRUNE", Layer: LayerTCP, Class: ClassLoss,
		Meaning: "Out-of-order data thrown away to free the socket's memory (tcp_rmem); the peer must send it again.",
		Check: "ss -tmi: rb, r against the limit, rcv_ooopack; nstat -az TcpExtOfoPruned; /proc/net/sockstat: TCP " +
			"mem against tcp_mem",
		Change: "Find where packets before these were lost; raise net.ipv4.tcp_rmem (third value), and tcp_mem if " +
			"the node is at its limit.",
		Counters: []string{"TcpExtOfoPruned", "ss -m: d"},
		Sysctls:  []string{"net.ipv4.tcp_rmem", "net.ipv4.tcp_mem"}},
	{Name: "TCP_ZEROWINDOW", Layer: LayerTCP, Class: ClassLoss,
		Meaning:  "Data came while the receive window was closed: the application does not read fast enough.",
		Check:    "ss -tmn: Recv-Q stays high; nstat -az TcpExtTCPZeroWindowDrop TcpExtTCPToZeroWindowAdv",
		Change:   "Have the application read faster; for bursts raise net.ipv4.tcp_rmem (third value) or its SO_RCVBUF.",
		Counters: []string{"TcpExtTCPZeroWindowDrop", "ss -m: d"},
		Sysctls:  []string{"net.ipv4.tcp_rmem"}},
	{Name: "TCP_OVERWINDOW", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "Data beyond the window that was offered to the peer.",
		Check:    "tcpdump -vvni DEV host PEER: sequence against the window offered; nstat -az TcpExtBeyondWindow",
		Change:   "Look for a peer or middlebox that ignores windows or rewrites sequence numbers; it may also be an attack.",
		Counters: []string{"TcpExtBeyondWindow", "ss -m: d"}},

	// sequence numbers
	{Name: "TCP_OLD_SEQUENCE", Layer: LayerTCP, Class: ClassBenign,
		Meaning:  "The segment lies wholly before what was received: a duplicate, keepalive or window probe.",
		Counters: []string{"TcpExtDelayedACKLost", "ss -m: d"}},
	{Name: "TCP_INVALID_SEQUENCE", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The segment starts beyond the window that was offered.",
		Check:    "tcpdump -vvni DEV host PEER: sequence against the window offered; ss -tno: the connection",
		Change:   "Look for a middlebox that rewrites sequence numbers, a peer that reuses ports early, or an attack.",
		Counters: []string{"TcpExtBeyondWindow", "ss -m: d"}},
	{Name: "TCP_INVALID_END_SEQUENCE", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The segment ends beyond the window that was offered, and unread data is waiting.",
		Check:    "ss -tmn: Recv-Q; tcpdump -vvni DEV host PEER: length against the window offered",
		Change:   "Have the application read faster; a peer that sends beyond the window needs repair.",
		Counters: []string{"TcpExtBeyondWindow", "ss -m: d"}},
	{Name: "TCP_INVALID_ACK_SEQUENCE", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The answer to a SYN acknowledges something that was not sent, often from an old connection.",
		Check:   "tcpdump -vvni DEV host PEER: the answer to a SYN; ss -tno state syn-sent",
		Change: "Goes away by itself as the kernel resets the old connection; if often, use more client ports " +
			"(net.ipv4.ip_local_port_range) or check the NAT between.",
		Counters: []string{"TcpOutRsts"},
		Sysctls:  []string{"net.ipv4.ip_local_port_range"}},

	// acknowledgements
	// tcp_rcv_state_process (net/ipv4/tcp_input.c, 6.12, 7.2) says it of SYN_RECV alone, and
	// takes old acknowledgements in any other state.
	{Name: "TCP_OLD_ACK", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "An acknowledgement that is older than the handshake it came in: the connection is reset.",
		Check:    "tcpdump -vvni DEV host PEER: ack numbers of the handshake; ss -tno state syn-recv",
		Change:   "Nothing for single ones; else look for a NAT that gives ports away too early, or packets that are replayed.",
		Counters: []string{"TcpOutRsts"}},
	{Name: "TCP_TOO_OLD_ACK", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "An acknowledgement far older than anything in flight: broken middlebox or blind attack.",
		Check:    "tcpdump -vvni DEV host PEER: ack numbers; nstat -az TcpExtTCPChallengeACK",
		Change:   "Look for a middlebox that replays or rewrites packets.",
		Counters: []string{"TcpExtTCPChallengeACK", "TcpExtTCPACKSkippedChallenge", "ss -m: d"}},
	{Name: "TCP_ACK_UNSENT_DATA", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The peer acknowledges data that was never sent.",
		Check:    "tcpdump -vvni DEV host PEER: ack numbers beyond what this host sent",
		Change:   "Look for a proxy or middlebox that answers in the peer's place, or rewrites sequence numbers.",
		Counters: []string{"TcpExtTCPChallengeACK", "TcpExtTCPACKSkippedChallenge", "ss -m: d"}},

	// timestamps
	{Name: "TCP_RFC7323_PAWS", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The timestamp is older than the last one seen: an old duplicate, or hosts mixed up behind a NAT.",
		Check: "tcpdump -vvni DEV host PEER: TS val going back; nstat -az TcpExtPAWSEstab TcpExtPAWSActive; is " +
			"the peer behind a NAT or load balancer?",
		Change: "A few are old duplicates; else repair what mixes several hosts' timestamps (the NAT, or turn " +
			"tcp_timestamps off on the hosts behind it).",
		Counters: []string{"TcpExtPAWSEstab", "TcpExtPAWSActive", "ss -m: d"},
		Sysctls:  []string{"net.ipv4.tcp_timestamps"}},
	{Name: "TCP_RFC7323_PAWS_ACK", Layer: LayerTCP, Class: ClassBenign,
		Meaning:  "A late acknowledgement, overtaken by newer segments.",
		Counters: []string{"TcpExtPAWSOldAck", "ss -m: d"},
		Sysctls:  []string{"net.ipv4.tcp_timestamps"}},
	{Name: "TCP_RFC7323_TW_PAWS", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "Old timestamp for a connection in TIME-WAIT; clients behind one NAT cannot connect this way.",
		Check:   "nstat -az TcpExtPAWSTimewait; ss -tno state time-wait; are clients behind one NAT address?",
		Change: "Keep connections open longer, give the NAT more ports or addresses, or turn tcp_timestamps off on " +
			"the hosts behind it.",
		Counters: []string{"TcpExtPAWSTimewait"},
		Sysctls:  []string{"net.ipv4.tcp_timestamps"}},
	{Name: "TCP_RFC7323_TSECR", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "While connecting, the peer echoed a timestamp it was never sent.",
		Check:    "tcpdump -vvni DEV host PEER: TS ecr of the SYN-ACK; nstat -az TcpExtTSEcrRejected",
		Change:   "Look for a SYN proxy, firewall or load balancer that answers with timestamps of its own.",
		Counters: []string{"TcpExtTSEcrRejected", "ss -m: d"},
		Sysctls:  []string{"net.ipv4.tcp_timestamps"}},
}
