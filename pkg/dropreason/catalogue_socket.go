// SPDX-License-Identifier: Apache-2.0

package dropreason

// socketReasons are given by sockets of any protocol, by UDP, and by what
// guards sockets.
var socketReasons = []Info{
	// sockets
	{Name: "NO_SOCKET", Layer: LayerSocket, Class: ClassPeerError,
		Meaning: "No socket listens on that port or belongs to that connection; the sender gets a reset or ICMP error.",
		Check: "ss -lntup: does something listen on that address and port?; dropwatch events -v: dst and who " +
			"sends; systemctl status of the service",
		Change: "Start the service, bind it to the right address and namespace, or have the sender stop; strays " +
			"after a connection's end need nothing.",
		Counters: []string{"UdpNoPorts", "Udp6NoPorts", "TcpOutRsts"}},
	{Name: "SOCKET_RCVBUFF", Layer: LayerSocket, Class: ClassLoss,
		Meaning: "The socket's receive buffer is full: the application reads too slowly or net.core.rmem_max is too small.",
		Check:   "ss -uanmp: skmem r against rb, and d; nstat -az UdpRcvbufErrors",
		Change: "Have the application read faster (more sockets with SO_REUSEPORT, recvmmsg); for bursts sysctl -w " +
			"net.core.rmem_max=N and a larger SO_RCVBUF in it.",
		Counters: []string{"UdpRcvbufErrors", "UdpInErrors", "Udp6RcvbufErrors", "Udp6InErrors", "ss -m: d"},
		Sysctls:  []string{"net.core.rmem_default", "net.core.rmem_max"}},
	{Name: "SOCKET_BACKLOG", Layer: LayerSocket, Class: ClassLoss,
		Meaning: "The socket's backlog is full: packets came faster than the thread holding the socket released it.",
		Check:   "nstat -az TcpExtTCPBacklogDrop; ss -tmn: skmem bl; is one thread in long send or receive calls?",
		Change: "Have that thread make shorter calls; raise net.ipv4.tcp_rmem or SO_RCVBUF: the backlog's limit " +
			"follows the buffers.",
		Counters: []string{"TcpExtTCPBacklogDrop", "ss -m: d"},
		Sysctls:  []string{"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}},
	{Name: "PROTO_MEM", Layer: LayerSocket, Class: ClassLoss,
		Meaning: "No receive memory left: the limit shared by all sockets (tcp_mem, udp_mem), or a TCP socket's own buffer.",
		Check: "/proc/net/sockstat: TCP and UDP mem, in pages, against tcp_mem and udp_mem; ss -tum: which " +
			"sockets hold it; ss -tm: r against rb",
		Change: "Find the sockets that nobody reads; raise net.ipv4.udp_mem or tcp_mem (pages), or for a single " +
			"TCP socket net.ipv4.tcp_rmem.",
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
		Check:    "ss -0 -mp: which program captures; its own count of packets dropped by kernel",
		Change:   "tcpdump -B with a larger buffer (KiB), a narrower filter, a smaller -s; or end the capture.",
		Counters: []string{"tcpdump: packets dropped by kernel"},
		Sysctls:  []string{"net.core.rmem_default"}},

	// UDP
	{Name: "UDP_CSUM", Layer: LayerUDP, Class: ClassPeerError,
		Meaning: "The UDP checksum is wrong: damaged on its way, or broken by a device's offload.",
		Check: "tcpdump -vvni DEV udp: bad udp cksum of received packets; ethtool -S DEV: errors; nstat -az " +
			"UdpInCsumErrors Udp6InCsumErrors",
		Change: "Replace what damages packets; if one NIC or tunnel alone shows it, turn its offload off: ethtool " +
			"-K DEV rx off (sender: tx off).",
		Counters: []string{"UdpInCsumErrors", "UdpInErrors", "Udp6InCsumErrors", "Udp6InErrors"}},

	// security
	{Name: "XFRM_POLICY", Layer: LayerSecurity, Class: ClassPolicy,
		Meaning: "An IPsec policy does not allow the packet: it came in clear or under the wrong association.",
		Check:   "/proc/net/xfrm_stat: which counter moves; ip -s xfrm policy; ip -s xfrm state; swanctl --list-sas",
		Change: "Make both ends' policies agree, or exempt the traffic (ip xfrm policy ... action allow; " +
			"net.ipv4.conf.DEV.disable_policy=1).",
		Counters: []string{"/proc/net/xfrm_stat: XfrmInPolBlock", "/proc/net/xfrm_stat: XfrmInTmplMismatch",
			"/proc/net/xfrm_stat: XfrmInNoPols", "/proc/net/xfrm_stat: XfrmInStateMismatch",
			"/proc/net/xfrm_stat: XfrmOutPolBlock"},
		Sysctls: []string{"net.ipv4.conf.*.disable_policy", "net.ipv6.conf.*.disable_policy"}},
	{Name: "SECURITY_HOOK", Layer: LayerSecurity, Class: ClassPolicy,
		Meaning: "A security module (SELinux, AppArmor, Smack, BPF LSM) refused the packet.",
		Check:   "ausearch -m avc -ts recent, journalctl -k: denied; bpftool prog show: lsm",
		Change: "Change that module's policy (SELinux: audit2allow shows what is missing; packet labels: " +
			"netlabelctl, secmark rules).",
		Counters: []string{"UdpInErrors", "Udp6InErrors", "ss -m: d"}},
	{Name: "PSP_INPUT", Layer: LayerSecurity, Class: ClassPeerError,
		Meaning:  "The packet is not encrypted with PSP the way its connection requires.",
		Check:    "ss -tin: the connection; the configuration of PSP on both ends: key, version",
		Change:   "Make both ends agree on PSP; what comes in clear into a PSP connection is dropped on purpose.",
		Counters: []string{"TcpInErrs"}},
	{Name: "PSP_OUTPUT", Layer: LayerSecurity, Class: ClassPolicy,
		Meaning:  "The packet must leave encrypted with PSP, and this device cannot do that for it.",
		Check:    "ip route get PEER: the device; does it, or the one it was set up on, do PSP?",
		Change:   "Keep the route on the device the connection's PSP keys belong to, or open the connection anew.",
		Counters: []string{"ip -s link: TX dropped"}},
}
