// SPDX-License-Identifier: Apache-2.0

package dropreason

// ipReasons are given by IPv4, IPv6 and ICMP, by routing and reassembly.
var ipReasons = []Info{
	// headers
	{Name: "OTHERHOST", Layer: LayerIP, Class: ClassBenign,
		Meaning: "The frame was addressed to another host; seen because of promiscuous mode or flooding by a switch."},
	{Name: "IP_CSUM", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "The IPv4 header checksum is wrong: the header was damaged on its way."},
	{Name: "IP_INHDR", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "The IP header or its options are invalid, or the TTL ran out here."},
	{Name: "IP_NOPROTO", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "No handler for the IP protocol number (not TCP, UDP, ICMP ...); the sender is told."},
	{Name: "INVALID_PROTO", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "Not allowed here: a ping or other ICMP to a broadcast address, or a bad mobile-IPv6 address."},
	{Name: "IPV6_BAD_EXTHDR", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "An ICMPv6 error quotes a packet whose extension headers cannot be parsed."},
	{Name: "IPV6_TOO_MANY_EXTHDRS", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "The packet stacks more IPv6 extension headers than the kernel follows."},
	{Name: "IPV6DISABLED", Layer: LayerIP, Class: ClassPolicy,
		Meaning: "IPv6, or the kind of IPv6 routing header used, is disabled on this interface."},
	{Name: "ICMP_CSUM", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "The ICMP checksum is wrong."},
	{Name: "UNICAST_IN_L2_MULTICAST", Layer: LayerIP, Class: ClassPolicy,
		Meaning: "A unicast IP packet in a multicast frame, which drop_unicast_in_l2_multicast forbids."},

	// addresses
	{Name: "IP_RPFILTER", Layer: LayerIP, Class: ClassPolicy,
		Meaning: "Reverse path filter (rp_filter): the route back to the source does not use this interface."},
	{Name: "IP_LOCAL_SOURCE", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "The packet comes from outside but bears one of this host's addresses: spoofed, duplicate, or looped."},
	{Name: "IP_INVALID_SOURCE", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "The source address is multicast, broadcast or zero."},
	{Name: "IP_INVALID_DEST", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "The destination address is zero, or of a kind that cannot be routed."},
	{Name: "IP_LOCALNET", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "A 127.0.0.0/8 address arrived from outside and route_localnet is off."},

	// routing
	{Name: "IP_INADDRERRORS", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "The packet is for an address this host neither has nor forwards to."},
	{Name: "IP_INNOROUTES", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "A packet to be forwarded has a destination no route leads to; its sender is told."},
	{Name: "IP_OUTNOROUTES", Layer: LayerIP, Class: ClassLoss,
		Meaning: "This host wanted to send a packet but found no route to its destination."},
	{Name: "PKT_TOO_BIG", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "Larger than the next hop's MTU and not to be fragmented; the sender is told (path MTU discovery)."},

	// fragments
	{Name: "DUP_FRAG", Layer: LayerIP, Class: ClassBenign,
		Meaning: "A fragment that had already arrived."},
	{Name: "FRAG_REASM_TIMEOUT", Layer: LayerIP, Class: ClassLoss,
		Meaning: "Some fragments of the packet never came, or reassembly was given up for errors or lack of memory."},
	{Name: "FRAG_TOO_FAR", Layer: LayerIP, Class: ClassLoss,
		Meaning: "Fragments given up because too many other packets came from that host meanwhile (ipfrag_max_dist)."},
}
