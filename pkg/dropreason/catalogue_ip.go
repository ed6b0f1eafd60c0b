// SPDX-License-Identifier: Apache-2.0

package dropreason

// ipReasons are given by IPv4, IPv6 and ICMP, by routing and reassembly.
var ipReasons = []Info{
	// headers
	{Name: "OTHERHOST", Layer: LayerIP, Class: ClassBenign,
		Meaning:  "The frame was addressed to another host; seen because of promiscuous mode or flooding by a switch.",
		Counters: []string{"ip -s -s link: RX otherhost"}},
	{Name: "IP_CSUM", Layer: LayerIP, Class: ClassPeerError,
		Meaning:  "The IPv4 header checksum is wrong: the header was damaged on its way.",
		Check:    "ethtool -S DEV: crc and checksum errors; tcpdump -vvni DEV: bad cksum; dropwatch events -v: who sends",
		Change:   "Replace the cable, port or device that damages packets; if one NIC alone shows it, ethtool -K DEV rx off.",
		Counters: []string{"IpExtInCsumErrors", "IpInHdrErrors"}},
	{Name: "IP_INHDR", Layer: LayerIP, Class: ClassPeerError,
		Meaning:  "The IP header or its options are invalid, or the TTL ran out here.",
		Check:    "tcpdump -vvni DEV: ttl 1, options, length; traceroute DST: a loop shows the same hops again",
		Change:   "Correct the routes that form a loop, or the sender's headers.",
		Counters: []string{"IpInHdrErrors", "Ip6InHdrErrors"},
		Sysctls:  []string{"net.ipv6.max_hbh_opts_number", "net.ipv6.max_dst_opts_number"}},
	{Name: "IP_NOPROTO", Layer: LayerIP, Class: ClassPeerError,
		Meaning:  "No handler for the IP protocol number (not TCP, UDP, ICMP ...); the sender is told.",
		Check:    "tcpdump -vni DEV: the protocol number; ss -w: raw sockets; lsmod: sctp, esp4, ip_gre",
		Change:   "Load the module that handles the protocol, or stop the sender.",
		Counters: []string{"IpInUnknownProtos", "Ip6InUnknownProtos"}},
	{Name: "INVALID_PROTO", Layer: LayerIP, Class: ClassPeerError,
		Meaning:  "Not allowed here: a ping or other ICMP to a broadcast address, or a bad mobile-IPv6 address.",
		Check:    "tcpdump -vni DEV icmp or icmp6: who pings the broadcast address",
		Change:   "Nothing, unless broadcast pings should be answered: sysctl -w net.ipv4.icmp_echo_ignore_broadcasts=0.",
		Counters: []string{"IcmpInErrors", "Ip6InHdrErrors"},
		Sysctls:  []string{"net.ipv4.icmp_echo_ignore_broadcasts"}},
	{Name: "IPV6_BAD_EXTHDR", Layer: LayerIP, Class: ClassPeerError,
		Meaning:  "An ICMPv6 error quotes a packet whose extension headers cannot be parsed.",
		Check:    "tcpdump -vvni DEV icmp6: the packet it quotes, and who sends it",
		Change:   "Repair the sender; without other trouble it can be left alone.",
		Counters: []string{"Icmp6InErrors"}},
	{Name: "IPV6_TOO_MANY_EXTHDRS", Layer: LayerIP, Class: ClassPeerError,
		Meaning:  "The packet stacks more IPv6 extension headers than the kernel follows.",
		Check:    "tcpdump -vvni DEV ip6: the chain of headers, and who sends it",
		Change:   "Have the sender use fewer extension headers; from strangers it is likely an attack.",
		Counters: []string{"Ip6InDiscards"}},
	{Name: "IPV6DISABLED", Layer: LayerIP, Class: ClassPolicy,
		Meaning: "IPv6, or the kind of IPv6 routing header used, is disabled on this interface.",
		Check: "sysctl net.ipv6.conf.DEV.disable_ipv6; ip -6 addr show dev DEV; for segment routing, " +
			"net.ipv6.conf.DEV.seg6_enabled",
		Change:   "sysctl -w net.ipv6.conf.DEV.disable_ipv6=0 if the interface should carry IPv6; else have nobody send it there.",
		Counters: []string{"Ip6InDiscards", "Ip6OutDiscards"},
		Sysctls:  []string{"net.ipv6.conf.*.disable_ipv6"}},
	{Name: "ICMP_CSUM", Layer: LayerIP, Class: ClassPeerError,
		Meaning:  "The ICMP checksum is wrong.",
		Check:    "tcpdump -vvni DEV icmp or icmp6: wrong cksum; ethtool -S DEV: errors; dropwatch events -v: who sends",
		Change:   "Repair the sender or what damages packets between; if one NIC alone shows it, ethtool -K DEV rx off.",
		Counters: []string{"IcmpInCsumErrors", "IcmpInErrors", "Icmp6InCsumErrors", "Icmp6InErrors"}},
	{Name: "UNICAST_IN_L2_MULTICAST", Layer: LayerIP, Class: ClassPolicy,
		Meaning: "A unicast IP packet in a multicast frame, which drop_unicast_in_l2_multicast forbids.",
		Check:   "tcpdump -eni DEV 'ether multicast and not (ip multicast or ip6 multicast)': who sends unicast in group frames",
		Change: "If they are wanted (some clusters share a group MAC): set drop_unicast_in_l2_multicast to 0 for " +
			"the interface and for all.",
		Counters: []string{"Ip6InHdrErrors"},
		Sysctls: []string{"net.ipv4.conf.*.drop_unicast_in_l2_multicast",
			"net.ipv6.conf.*.drop_unicast_in_l2_multicast"}},

	// addresses
	{Name: "IP_RPFILTER", Layer: LayerIP, Class: ClassPolicy,
		Meaning: "Reverse path filter (rp_filter): the route back to the source does not use this interface.",
		Check: "ip route get SOURCE: its device is not the one packets come in by; sysctl " +
			"net.ipv4.conf.all.rp_filter net.ipv4.conf.DEV.rp_filter: the larger counts",
		Change: "Add the missing route, or where paths are asymmetric sysctl -w net.ipv4.conf.DEV.rp_filter=2 (any " +
			"interface may lead back).",
		Counters: []string{"TcpExtIPReversePathFilter", "/proc/net/stat/rt_cache: in_martian_src"},
		Sysctls:  []string{"net.ipv4.conf.*.rp_filter", "net.ipv4.conf.*.src_valid_mark"}},
	{Name: "IP_LOCAL_SOURCE", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "The packet comes from outside but bears one of this host's addresses: spoofed, duplicate, or looped.",
		Check: "ip addr: which address it is; tcpdump -eni DEV src ADDR: the MAC that sends it; arping -D -I DEV " +
			"ADDR: a duplicate",
		Change: "Take the duplicate address or the loop away; where own packets come back on purpose, sysctl -w " +
			"net.ipv4.conf.DEV.accept_local=1.",
		Counters: []string{"/proc/net/stat/rt_cache: in_martian_src"},
		Sysctls:  []string{"net.ipv4.conf.*.accept_local"}},
	{Name: "IP_INVALID_SOURCE", Layer: LayerIP, Class: ClassPeerError,
		Meaning:  "The source address is multicast, broadcast or zero.",
		Check:    "tcpdump -eni DEV src ADDR: the MAC that sends it; sysctl -w net.ipv4.conf.all.log_martians=1 logs them",
		Change:   "Correct the sender's address configuration.",
		Counters: []string{"/proc/net/stat/rt_cache: in_martian_src"}},
	{Name: "IP_INVALID_DEST", Layer: LayerIP, Class: ClassPeerError,
		Meaning:  "The destination address is zero, or of a kind that cannot be routed.",
		Check:    "dropwatch events -v: dst, and who sends; sysctl -w net.ipv4.conf.all.log_martians=1 logs them",
		Change:   "Correct the sender's destination.",
		Counters: []string{"/proc/net/stat/rt_cache: in_martian_dst"}},
	{Name: "IP_LOCALNET", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "A 127.0.0.0/8 address arrived from outside and route_localnet is off.",
		Check:   "tcpdump -eni DEV net 127.0.0.0/8: who sends; nft list ruleset: NAT to or from 127.0.0.1",
		Change: "sysctl -w net.ipv4.conf.DEV.route_localnet=1 if NAT to 127.0.0.1 is meant, with a firewall rule " +
			"for everyone else; else correct the NAT or the sender.",
		Counters: []string{"/proc/net/stat/rt_cache: in_martian_src",
			"/proc/net/stat/rt_cache: in_martian_dst"},
		Sysctls: []string{"net.ipv4.conf.*.route_localnet"}},

	// routing
	{Name: "IP_INADDRERRORS", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "The packet is for an address this host neither has nor forwards to.",
		Check:   "dropwatch events -v: dst; ip addr; sysctl net.ipv4.conf.DEV.forwarding net.ipv6.conf.DEV.forwarding",
		Change: "If this host is to route: sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; else " +
			"correct who uses it as a gateway.",
		Counters: []string{"IpInAddrErrors", "Ip6InAddrErrors"},
		Sysctls:  []string{"net.ipv4.ip_forward", "net.ipv4.conf.*.forwarding", "net.ipv6.conf.all.forwarding"}},
	{Name: "IP_INNOROUTES", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "A packet to be forwarded has a destination no route leads to; its sender is told.",
		Check:   "dropwatch events -v: dst; ip route get DST from SOURCE iif DEV",
		Change: "Add the route (or a default route), or have the sender stop; blackhole and unreachable routes do " +
			"this on purpose.",
		Counters: []string{"IpExtInNoRoutes", "Ip6InNoRoutes"}},
	{Name: "IP_OUTNOROUTES", Layer: LayerIP, Class: ClassLoss,
		Meaning: "This host wanted to send a packet but found no route to its destination.",
		Check:   "ip route get DST from SOURCE; ip rule; ip monitor route: does the route come and go?",
		Change: "Add the route or the gateway's device; a socket bound to an address or device that went away " +
			"needs its application restarted.",
		Counters: []string{"IpOutNoRoutes", "Ip6OutNoRoutes"}},
	{Name: "PKT_TOO_BIG", Layer: LayerIP, Class: ClassPeerError,
		Meaning: "Larger than the next hop's MTU and not to be fragmented; the sender is told (path MTU discovery).",
		Check: "dropwatch events -v: len and dst; ip link: mtu; tracepath DST: pmtu; are ICMP fragmentation " +
			"needed and packet too big let through?",
		Change: "Let those ICMP messages through everywhere; one MTU along the path; or clamp TCP: nft ... tcp " +
			"option maxseg size set rt mtu.",
		Counters: []string{"IpFragFails", "Ip6InTooBigErrors", "Ip6FragFails"},
		Sysctls:  []string{"net.ipv4.ip_forward_use_pmtu"}},

	// fragments
	{Name: "DUP_FRAG", Layer: LayerIP, Class: ClassBenign,
		Meaning: "A fragment that had already arrived."},
	{Name: "FRAG_REASM_TIMEOUT", Layer: LayerIP, Class: ClassLoss,
		Meaning: "Some fragments of the packet never came, or reassembly was given up for errors or lack of memory.",
		Check: "nstat -az 'Ip*Reasm*'; /proc/net/sockstat: FRAG memory against ipfrag_high_thresh; tcpdump -ni " +
			"DEV 'ip[6:2] & 0x3fff != 0': which part is missing",
		Change: "Find where the other fragments are lost; avoid fragments (smaller datagrams, MTU); if memory is " +
			"at the limit, raise net.ipv4.ipfrag_high_thresh or net.ipv6.ip6frag_high_thresh.",
		Counters: []string{"IpReasmTimeout", "IpReasmFails", "Ip6ReasmTimeout", "Ip6ReasmFails"},
		Sysctls: []string{"net.ipv4.ipfrag_time", "net.ipv4.ipfrag_high_thresh", "net.ipv6.ip6frag_time",
			"net.ipv6.ip6frag_high_thresh", "net.netfilter.nf_conntrack_frag6_timeout",
			"net.netfilter.nf_conntrack_frag6_high_thresh"}},
	{Name: "FRAG_TOO_FAR", Layer: LayerIP, Class: ClassLoss,
		Meaning: "Fragments given up because too many other packets came from that host meanwhile (ipfrag_max_dist).",
		Check:   "nstat -az IpReasmFails; dropwatch events -v: the sender; are its packets reordered (bonding, several paths)?",
		Change: "sysctl -w net.ipv4.ipfrag_max_dist=0 turns the check off; better keep that host's packets in " +
			"order or unfragmented.",
		Counters: []string{"IpReasmFails"},
		Sysctls:  []string{"net.ipv4.ipfrag_max_dist"}},
}
