// SPDX-License-Identifier: Apache-2.0

package dropreason

// socketReasons are given by sockets of any protocol, by UDP, and by what
// guards sockets.
var socketReasons = []Info{
	// sockets
	{Name: "NO_SOCKET", Layer: LayerSocket, Class: ClassPeerError,
		Meaning: "No socket listens on that port or belongs to that connection; the sender gets a reset or ICMP error."},
	{Name: "SOCKET_RCVBUFF", Layer: LayerSocket, Class: ClassLoss,
		Meaning: "The socket's receive buffer is full: the application reads too slowly or net.core.rmem_max is too small."},
	{Name: "SOCKET_BACKLOG", Layer: LayerSocket, Class: ClassLoss,
		Meaning: "The socket's backlog is full: packets came faster than the thread holding the socket released it."},
	{Name: "PROTO_MEM", Layer: LayerSocket, Class: ClassLoss,
		Meaning: "No receive memory left: the limit shared by all sockets (tcp_mem, udp_mem), or a TCP socket's own buffer."},
	{Name: "SOCKET_CLOSE", Layer: LayerSocket, Class: ClassBenign,
		Meaning: "Data still unread when its socket was closed."},
	{Name: "UNIX_DISCONNECT", Layer: LayerSocket, Class: ClassBenign,
		Meaning: "Unread messages from the former peer of a unix datagram socket that was connected anew."},
	{Name: "UNIX_SKIP_OOB", Layer: LayerSocket, Class: ClassBenign,
		Meaning: "Out-of-band data of a unix socket that the application read past."},
	{Name: "PACKET_SOCK_ERROR", Layer: LayerSocket, Class: ClassLoss,
		Meaning: "A packet capture cannot keep up and missed its copy; the traffic itself is unaffected."},

	// UDP
	{Name: "UDP_CSUM", Layer: LayerUDP, Class: ClassPeerError,
		Meaning: "The UDP checksum is wrong: damaged on its way, or broken by a device's offload."},

	// security
	{Name: "XFRM_POLICY", Layer: LayerSecurity, Class: ClassPolicy,
		Meaning: "An IPsec policy does not allow the packet: it came in clear or under the wrong association."},
	{Name: "SECURITY_HOOK", Layer: LayerSecurity, Class: ClassPolicy,
		Meaning: "A security module (SELinux, AppArmor, Smack, BPF LSM) refused the packet."},
	{Name: "PSP_INPUT", Layer: LayerSecurity, Class: ClassPeerError,
		Meaning: "The packet is not encrypted with PSP the way its connection requires."},
	{Name: "PSP_OUTPUT", Layer: LayerSecurity, Class: ClassPolicy,
		Meaning: "The packet must leave encrypted with PSP, and this device cannot do that for it."},
}
