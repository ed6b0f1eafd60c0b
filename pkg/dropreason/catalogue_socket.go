// SPDX-License-Identifier: Apache-2.0

package dropreason

// socketReasons are given by sockets of any protocol, by UDP, and by what
// guards sockets.
var socketReasons = []Info{
	// sockets
	{Name: "NO_SOCKET", Layer: LayerSocket, Class: ClassPeerError,
		Meaning:  "No socket listens on that port or belongs to that connection; the sender gets a reset or ICMP error.",
		Counters: []string{"UdpNoPorts", "Udp6NoPorts", "TcpOutRsts"}},
	{Name: "SOCKET_RCVBUFF", Layer: LayerSocket, Class: ClassLoss,
		Meaning:  "The socket's receive buffer is full: the application reads too slowly or net.core.rmem_max is too small.",
		Counters: []string{"UdpRcvbufErrors", "UdpInErrors", "Udp6RcvbufErrors", "Udp6InErrors", "ss -m: d"},
		Sysctls:  []string{"net.core.rmem_default", "net.core.rmem_max"}},
	{Name: "SOCKET_BACKLOG", Layer: LayerSocket, Class: ClassLoss,
		Meaning:  "The socket's backlog is full: packets came faster than the thread holding the socket released it.",
		Counters: []string{"TcpExtTCPBacklogDrop", "ss -m: d"},
		Sysctls:  []string{"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}},
	{Name: "PROTO_MEM", Layer: LayerSocket, Class: ClassLoss,
		Meaning: "No receive memory left: the limit shared by all sockets (tcp_mem, udp_mem), or a TCP socket's own buffer.",
		Counters: []string{"TcpExtTCPRcvQDrop", "TcpExtTCPOFODrop", "UdpMemErrors", "UdpInErrors",
			"Udp6MemErrors", "Udp6InErrors", "ss -m: d"},
		Sysctls: []string{"net.ipv4.tcp_mem", "net.ipv4.tcp_rmem", "net.ipv4.udp_mem",
			"net.ipv4.udp_rmem_min"}},
	{Name: "SOCKET_CLOSE", Layer: LayerSocket, Class: ClassBenign,
		Meaning: "Data still unread when its socket was closed."},
	{Name: "UNIX_DISCONNECT", Layer: LayerSocket, Class: ClassBenign,
		Meaning: "Unread messages from the former peer of a unix datagram socket that was connected anew."},
	{Name: "UNIX_SKIP_OOB", Layer: LayerSocket, Class: ClassBenign,
		Meaning: "Out-of-band data of a unix socket that the application read past."},
	{Name: "PACKET_SOCK_ERROR", Layer: LayerSocket, Class: ClassLoss,
		Meaning:  "A packet capture cannot keep up and missed its copy; the traffic itself is unaffected.",
		Counters: []string{"tcpdump: packets dropped by kernel"},
		Sysctls:  []string{"net.core.rmem_default"}},

	// UDP
	{Name: "UDP_CSUM", Layer: LayerUDP, Class: ClassPeerError,
		Meaning:  "The UDP checksum is wrong: damaged on its way, or broken by a device's offload.",
		Counters: []string{"UdpInCsumErrors", "UdpInErrors", "Udp6InCsumErrors", "Udp6InErrors"}},

	// security
	{Name: "XFRM_POLICY", Layer: LayerSecurity, Class: ClassPolicy,
		Meaning: "An IPsec policy does not allow the packet: it came in clear or under the wrong association.",
		Counters: []string{"/proc/net/xfrm_stat: XfrmInPolBlock", "/proc/net/xfrm_stat: XfrmInTmplMismatch",
			"/proc/net/xfrm_stat: XfrmInNoPols", "/proc/net/xfrm_stat: XfrmInStateMismatch"},
		Sysctls: []string{"net.ipv4.conf.*.disable_policy", "net.ipv6.conf.*.disable_policy"}},
	{Name: "SECURITY_HOOK", Layer: LayerSecurity, Class: ClassPolicy,
		Meaning:  "A security module (SELinux, AppArmor, Smack, BPF LSM) refused the packet.",
		Counters: []string{"UdpInErrors", "Udp6InErrors", "ss -m: d"}},
	{Name: "PSP_INPUT", Layer: LayerSecurity, Class: ClassPeerError,
		Meaning:  "The packet is not encrypted with PSP the way its connection requires.",
		Counters: []string{"TcpInErrs"}},
	{Name: "PSP_OUTPUT", Layer: LayerSecurity, Class: ClassPolicy,
		Meaning:  "The packet must leave encrypted with PSP, and this device cannot do that for it.",
		Counters: []string{"ip -s link: TX dropped"}},
}
