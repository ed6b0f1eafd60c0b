// SPDX-License-Identifier: Apache-2.0

package dropreason

// places lists what a reason stands for at functions where that is not what it stands
// for elsewhere: a location is all that a cell has besides the reason, so that classes
// stay as exact as counts. A function is listed only if all that it frees with the reason
// is of that kind; where this holds for some kernels or packets alone, when says so.
//
// What blurs the functions of inferences blurs these: a call in tail position has the
// caller for its location, and a static function the one that it was inlined into. All
// names that a packet may die under are listed.
//
// They were read in 5.10.223, 6.1.176, 6.12.117 and 7.2.13.
var places = []placed{
	// ICMP
	{reason: "NO_SOCKET", functions: []string{"ping_rcv", "icmp_rcv", "icmpv6_rcv"},
		source: "net/ipv4/ping.c, ping_rcv: of 6.18 and 7.2 it frees, of 6.1 and 6.12 its callers do " +
			"(net/ipv4/icmp.c, net/ipv6/icmp.c); it gets echo replies alone",
		layer: LayerIP, class: ClassBenign,
		meaning:  "An echo reply for which no ping socket waits; raw sockets, as of ping run by root, have had their copy.",
		counters: []string{}},
	{reason: "UNHANDLED_PROTO", functions: []string{"icmp_rcv"},
		source: "net/ipv4/icmp.c, icmp_rcv, 5.19 to 7.2: a type above NR_ICMP_TYPES",
		layer:  LayerIP, class: ClassPeerError,
		meaning:  "An ICMP message of an unknown type.",
		check:    "tcpdump -vni DEV icmp: the type, and who sends",
		change:   "Nothing, unless it is meant for a program here: stop the sender.",
		counters: []string{"IcmpInErrors"}},
	{reason: NotSpecified, functions: []string{"icmpv6_rcv"},
		source: "net/ipv6/icmp.c, icmpv6_rcv, and net/ipv6/ndisc.c, ndisc_rcv, 6.1 to 7.2: a bad checksum has a " +
			"word; of 5.10 it has none, and all that was handled is freed so",
		layer: LayerIP, class: ClassBenign,
		meaning: "An ICMPv6 message that this host needs not heed: an advertisement it did not ask for, a router's or " +
			"a report to routers.",
		counters: []string{}, when: []condition{{word: "ICMP_CSUM"}}},

	// IPv6
	{reason: "UNHANDLED_PROTO", functions: []string{"ip6_tlvopt_unknown", "ip6_parse_tlv", "ipv6_destopt_rcv",
		"ipv6_parse_hopopts", "icmpv6_param_prob_reason"},
		source: "net/ipv6/exthdrs.c, ip6_tlvopt_unknown, 5.19 to 7.2; icmpv6_param_prob_reason (net/ipv6/icmp.c) frees where the sender is told",
		layer:  LayerIP, class: ClassPeerError,
		meaning:  "An IPv6 hop-by-hop or destination option that this host does not know and that asks to be discarded.",
		check:    "tcpdump -vvni DEV ip6: the options, and who sends",
		change:   "Have the sender leave the option out.",
		counters: []string{"Ip6InHdrErrors"}},
	{reason: "UNHANDLED_PROTO", functions: []string{"ip6_rcv_core", "ipv6_rcv", "ipv6_list_rcv"},
		source: "net/ipv6/ip6_input.c, ip6_rcv_core, 5.19 to 7.2: a version other than 6",
		layer:  LayerIP, class: ClassPeerError,
		meaning:  "A packet that the link layer calls IPv6 has another version in its header.",
		check:    "tcpdump -exni DEV ether proto 0x86dd: the first nibble, and the MAC that sends",
		change:   "Repair the sender, or the tunnel or program that makes such packets.",
		counters: []string{"Ip6InHdrErrors"}},
	{reason: NotSpecified, functions: []string{"icmpv6_param_prob", "icmpv6_param_prob_reason"},
		source: "net/ipv6/icmp.c, 5.10 to 7.2: its callers in net/ipv6/exthdrs.c and net/ipv6/reassembly.c count " +
			"InHdrErrors, save for an encapsulation limit of 0 (net/ipv6/ip6_tunnel.c)",
		layer: LayerIP, class: ClassPeerError,
		meaning:  "A field of an IPv6 header is invalid, as a routing header of a type not known here (type 0); the sender is told.",
		check:    "tcpdump -vvni DEV ip6: routing headers, fragments of odd length, and who sends",
		change:   "Have the sender leave such headers out; type 0 is deprecated (RFC 5095) and mostly an attack.",
		counters: []string{"Ip6InHdrErrors"}},
	{reason: NotSpecified, functions: []string{"ipv6_rthdr_rcv"},
		source: "net/ipv6/exthdrs.c, ipv6_rthdr_rcv, 5.10 to 7.2",
		layer:  LayerIP, class: ClassPeerError,
		meaning:  "An IPv6 routing header that is cut off, or that came to or names an address not allowed there.",
		check:    "tcpdump -vvni DEV 'ip6[6] = 43': the header, and who sends",
		change:   "Have the sender leave the routing header out.",
		counters: []string{"Ip6InHdrErrors", "Ip6InAddrErrors"}},
	{reason: "IP_INADDRERRORS", functions: []string{"ip6_protocol_deliver_rcu", "ip6_input_finish", "ip6_input", "ip6_mc_input"},
		source: "net/ipv6/ip6_input.c, ip6_protocol_deliver_rcu, 5.19 to 7.2: ipv6_chk_mcast_addr says no to this source",
		layer:  LayerIP, class: ClassBenign,
		meaning:  "An IPv6 multicast to a group that this host listens to, from a source that it does not want to hear.",
		counters: []string{"Ip6InDiscards"}},
	{reason: NotSpecified, functions: []string{"ip6_mc_input"},
		source: "net/ipv6/ip6_input.c, ip6_mc_input, 5.10 to 7.2: ipv6_chk_mcast_addr says no",
		layer:  LayerIP, class: ClassBenign,
		meaning:  "An IPv6 multicast to a group that nobody here joined: mDNS, or a neighbour solicitation for another host.",
		counters: []string{}},
	{reason: NotSpecified, functions: []string{"igmp6_event_query", "igmp6_event_report"},
		source: "net/ipv6/mcast.c, 6.1 to 7.2: the device is going away, or 32 messages wait already",
		layer:  LayerIP, class: ClassBenign,
		meaning:  "An MLD message of which too many wait, or that came as its device was going away.",
		counters: []string{}},

	{reason: "IP_INNOROUTES", functions: []string{"ip6_pkt_discard", "ip6_pkt_drop"},
		source: "net/ipv6/route.c, ip6_pkt_drop, 5.10 to 7.2: without a route for ff00::/8 on the device (addrconf_add_mroute)",
		layer:  LayerIP, class: ClassBenign,
		meaning:  "An IPv6 multicast on a device where IPv6 was not ready yet, or not wanted.",
		counters: []string{"Ip6InNoRoutes"}, when: []condition{{to: Group}}},

	// IPv4
	{reason: NotSpecified, functions: []string{"igmp_rcv"},
		source: "net/ipv4/igmp.c, igmp_rcv: of 5.10 it frees all that it handled, of 6.1 to 7.2 what a host needs not heed",
		layer:  LayerIP, class: ClassBenign,
		meaning:  "An IGMP message that was handled, or that only routers need: reports, leaves.",
		counters: []string{}},
	{reason: NotSpecified, functions: []string{"ip_rcv_finish_core", "ip_rcv_finish", "ip_rcv", "ip_list_rcv_finish", "ip_sublist_rcv"},
		source: "net/ipv4/ip_input.c, ip_rcv_finish_core, and net/ipv4/route.c, ip_route_input_rcu: of 7.2 all but " +
			"groups nobody joined, IPv4 turned off and source routes have words; of 6.1 and 6.12 frames to groups " +
			"may also have an impossible source",
		layer: LayerIP, class: ClassBenign,
		meaning:  "An IPv4 multicast to a group that nobody here joined, as of SSDP or mDNS, or a broadcast for others.",
		counters: []string{}, when: []condition{{word: "IP_LOCALNET"}, {word: "IP_RPFILTER", to: Group}}},

	{reason: "IP_INADDRERRORS", functions: []string{"ip_error"},
		source: "net/ipv4/route.c, ip_error, 5.19 to 7.2: no route back for a host that does not forward",
		layer:  LayerIP, class: ClassBenign,
		meaning:  "A broadcast of an IP network that this host has no address in, and shares the wire with.",
		counters: []string{"IpInAddrErrors"}, when: []condition{{to: Group}}},
	{reason: "IP_INNOROUTES", functions: []string{"ip_error"},
		source: "net/ipv4/route.c, ip_error, 5.19 to 7.2",
		layer:  LayerIP, class: ClassBenign,
		meaning:  "A broadcast or multicast of the link layer with an IP destination beyond it, which this host need not forward.",
		counters: []string{"IpExtInNoRoutes"}, when: []condition{{to: Group}}},

	{reason: "IP_INHDR", functions: []string{"ip_forward", "ip6_forward"},
		source: "net/ipv4/ip_forward.c, ip_forward, and net/ipv6/ip6_output.c, ip6_forward, 6.12 to 7.2: too_many_hops",
		layer:  LayerIP, class: ClassPeerError,
		meaning:  "The TTL or hop limit ran out on the way through this host; the sender is told. Many: a routing loop; few: traceroute.",
		check:    "dropwatch events -v: ttl, src and dst; traceroute DST: a loop shows the same hops again",
		change:   "Correct the routes that form the loop; traceroutes need nothing.",
		counters: []string{"IpInHdrErrors", "Ip6InHdrErrors"}},

	// UDP
	{reason: NotSpecified, functions: []string{"__udp4_lib_mcast_deliver", "__udp6_lib_mcast_deliver"},
		source: "net/ipv4/udp.c, net/ipv6/udp.c, 5.10 to 7.2: no socket matches",
		layer:  LayerUDP, class: ClassBenign,
		meaning:  "A UDP broadcast or multicast that no socket here listens for, as of NetBIOS or DHCP.",
		counters: []string{"UdpIgnoredMulti", "Udp6IgnoredMulti"}},
	{reason: NotSpecified, functions: []string{"__udp4_lib_rcv", "__udp6_lib_rcv", "udp_rcv", "udpv6_rcv"},
		source: "net/ipv4/udp.c, net/ipv6/udp.c, 6.1 to 7.2: into it __udp4_lib_mcast_deliver may be inlined; what it " +
			"frees so itself are headers that cannot be read and, if sent to one host, what a policy forbids",
		layer: LayerUDP, class: ClassBenign,
		meaning:  "A UDP broadcast or multicast for which there is no socket here, as of NetBIOS or DHCP.",
		counters: []string{"UdpIgnoredMulti", "Udp6IgnoredMulti"},
		when:     []condition{{word: "UDP_CSUM", to: Group}}},

	// TCP
	{reason: NotSpecified, functions: []string{"tcp_rcv_state_process"},
		source: "net/ipv4/tcp_input.c, tcp_rcv_state_process, 6.1 to 7.2: all exits but those of CLOSE_WAIT, CLOSING " +
			"and LAST_ACK have words; of 5.10 it frees without a trace",
		layer: LayerTCP, class: ClassBenign,
		meaning:  "A segment without new data after the peer ended its side (CLOSE_WAIT, CLOSING, LAST_ACK): it was taken in.",
		counters: []string{"ss -m: d"}, when: []condition{{word: "TCP_CLOSE"}}},
	{reason: NotSpecified, functions: []string{"tcp_v4_rcv", "tcp_v6_rcv"},
		source: "net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c, net/ipv4/tcp_minisocks.c, 6.1 to 7.2: what has no word is " +
			"TIME_WAIT, repeated SYNs, and what is no segment at all; up to 6.12 also the last ACK of a handshake for " +
			"which the accept queue has no room, which TcpExtListenDrops counts",
		layer: LayerTCP, class: ClassBenign,
		meaning: "A segment taken in by a connection in TIME_WAIT, as the peer's FIN, or a SYN that came again " +
			"and was answered again.",
		counters: []string{}, when: []condition{{word: "TCP_CLOSE"}}},

	{reason: "TCP_INVALID_SEQUENCE", functions: []string{"tcp_validate_incoming", "tcp_rcv_established", "tcp_rcv_state_process"},
		source: "net/ipv4/tcp_input.c, tcp_sequence, 6.1: it says so of either side of the window; the side before it has TCP_OLD_SEQUENCE by 6.12",
		layer:  LayerTCP, class: ClassBenign,
		meaning: "A segment outside of the window: a keepalive, a window probe or a duplicate, and of such a kernel " +
			"also one beyond it.",
		counters: []string{"TcpExtDelayedACKLost", "ss -m: d"}, when: []condition{{lacks: "TCP_OLD_SEQUENCE"}}},

	{reason: "TCP_RFC7323_PAWS", functions: []string{"tcp_validate_incoming", "tcp_rcv_established", "tcp_rcv_state_process"},
		source: "net/ipv4/tcp_input.c, tcp_validate_incoming, 6.1 and 6.12: late ACKs are among them, and have " +
			"TCP_RFC7323_PAWS_ACK since 124c4c32e9f3 (6.14)",
		layer: LayerTCP, class: ClassBenign,
		meaning: "A late ACK that newer segments overtook, as between CPUs; of such a kernel also a segment with a " +
			"timestamp that went back.",
		counters: []string{"TcpExtPAWSEstab", "TcpExtPAWSActive", "ss -m: d"}, when: []condition{{lacks: "TCP_RFC7323_PAWS_ACK"}}},

	// devices
	{reason: NotSpecified, functions: []string{"netif_napi_add", "netif_napi_add_weight", "netif_napi_add_weight_locked",
		"napi_get_frags_check"},
		source: "net/core/gro.c, napi_get_frags_check, 5.10 to 7.2",
		layer:  LayerDevice, class: ClassBenign,
		meaning:  "No packet: a buffer that the kernel makes to look at as a device's receive queue is set up.",
		counters: []string{}},

	{reason: NotSpecified, functions: []string{"ipvlan_process_multicast"},
		source: "drivers/net/ipvlan/ipvlan_core.c, ipvlan_process_multicast, 5.10 to 7.2",
		layer:  LayerDriver, class: ClassBenign,
		meaning:  "A broadcast or multicast that no ipvlan device of this port listens for.",
		counters: []string{}},

	// programs
	{reason: NotSpecified, functions: []string{"netif_receive_generic_xdp", "do_xdp_generic"},
		source: "net/core/dev.c, netif_receive_generic_xdp, 6.1 to 7.2: do_drop, also without memory to make the packet " +
			"linear; XDP_TX to a queue that is stopped (generic_xdp_tx) ends there too; of a failed redirect 5.10 has no word",
		layer: LayerBPF, class: ClassPolicy,
		meaning:  "A generic XDP program dropped the packet (XDP_DROP), or failed at it (XDP_ABORTED).",
		check:    "bpftool net show: which program; ip -d link show dev DEV: xdpgeneric; perf trace -e xdp:xdp_exception: where it failed",
		change:   "If these should pass, change the program or the rules of whoever attached it; ip link set dev DEV xdpgeneric off detaches it.",
		counters: []string{}, when: []condition{{word: "XDP"}}},
	{reason: NotSpecified, functions: []string{"veth_xdp_rcv_skb", "veth_xdp_rcv", "veth_poll"},
		source: "drivers/net/veth.c, veth_xdp_rcv_skb, 5.10 to 7.2: xdp_drop, and drop without memory for a copy, which " +
			"rx_queue_N_drops counts",
		layer: LayerBPF, class: ClassPolicy,
		meaning:  "An XDP program on the veth dropped the packet (XDP_DROP), or failed at it (XDP_ABORTED).",
		check:    "bpftool net show: which program; ethtool -S DEV: rx_queue_N_xdp_drops, rx_queue_N_drops",
		change:   "If these should pass, change the program or the rules of whoever attached it; ip link set dev DEV xdp off detaches it.",
		counters: []string{"ethtool -S: rx_queue_N_xdp_drops"}},

	// ARP, netlink
	{reason: NotSpecified, functions: []string{"arp_process"},
		source: "net/ipv4/arp.c, arp_process, 5.10 to 7.2: out_free_skb",
		layer:  LayerNeighbour, class: ClassBenign,
		meaning: "An ARP message of no use here: for a multicast or loopback address, gratuitous where that is unwanted " +
			"(drop_gratuitous_arp), or of another kind.",
		counters: []string{}},
	{reason: NotSpecified, functions: []string{"do_one_broadcast", "netlink_broadcast_filtered", "netlink_broadcast"},
		source: "net/netlink/af_netlink.c, do_one_broadcast, 5.10 to 7.2; netlink_broadcast_filtered, into which it may " +
			"be inlined, also frees for sockets that want to hear of overruns (NETLINK_BROADCAST_ERROR)",
		layer: LayerSocket, class: ClassBenign,
		meaning:  "No packet: a message of the kernel that a filter on a program's netlink socket, as of udev, did not want.",
		counters: []string{}},

	// link layer
	{reason: NotSpecified, functions: []string{"stp_pdu_rcv"},
		source: "net/802/stp.c, stp_pdu_rcv, 5.10 to 7.2: no bridge runs the protocol",
		layer:  LayerBridge, class: ClassBenign,
		meaning:  "A spanning tree message of a switch; nothing here runs that protocol.",
		counters: []string{}},
	{reason: NotSpecified, functions: []string{"llc_rcv", "snap_rcv"},
		source: "net/llc/llc_input.c, llc_rcv, and net/802/psnap.c, snap_rcv, 5.10 to 7.2",
		layer:  LayerDevice, class: ClassBenign,
		meaning:  "An 802.2 frame that nothing here wants, as of a switch's discovery protocol, or that is for another host.",
		counters: []string{}},

	{reason: "QDISC_DROP", functions: []string{"__dev_queue_xmit", "__dev_xmit_skb", "__tcf_kfree_skb_list", "kfree_skb_list", "kfree_skb_list_reason"},
		source: "net/sched/sch_generic.c, noop_enqueue, 5.10 to 7.2: a device has it until it has a carrier, and when it " +
			"goes; net/ipv6/mcast.c, mld_send_initial_cr: reports are sent again; what a full queue drops has this location too",
		layer: LayerDevice, class: ClassBenign,
		meaning: "A report of a group or a solicitation of this host, sent on a device that has no carrier yet or is going " +
			"away, rarely to a full queue; it is repeated.",
		counters: []string{"ip -s link: TX dropped", "Ip6OutDiscards"}, when: []condition{{to: Neighbours}}},

	// forwarding
	{reason: NotSpecified, functions: []string{"br_handle_frame_finish"},
		source: "net/bridge/br_input.c, br_handle_frame_finish, 5.10 to 6.12: br_multicast_flood, with which it ends, " +
			"frees what has no port to go to; ports that only learn and VLANs that are not allowed have no words either",
		layer: LayerBridge, class: ClassBenign,
		meaning:  "A report of a group, as a bridge that snoops passes it on to routers alone, or another message for neighbours.",
		counters: []string{}, when: []condition{{to: Neighbours}}},
	{reason: "NO_TX_TARGET", functions: []string{"br_flood", "br_multicast_flood", "br_handle_frame_finish", "br_dev_xmit"},
		source: "net/bridge/br_forward.c, br_flood, 7.2",
		layer:  LayerBridge, class: ClassBenign,
		meaning:  "A broadcast or multicast that came in by the only port of a bridge that takes part in it.",
		counters: []string{}, when: []condition{{to: Group}}},
	{reason: NotSpecified, functions: []string{"br_flood", "br_multicast_flood"},
		source: "net/bridge/br_forward.c, br_flood, 5.10 to 6.12: no port is left, or no memory for a copy",
		layer:  LayerBridge, class: ClassBenign,
		meaning:  "A broadcast or multicast that came in by the one port of a bridge that takes part in it.",
		counters: []string{}, when: []condition{{to: Group}}},
	{reason: "NO_TX_TARGET", functions: []string{"vxlan_xmit", "vxlan_mdb_xmit", "vxlan_xmit_nh", "vxlan_xmit_nhid"},
		source: "drivers/net/vxlan/vxlan_core.c, vxlan_xmit, 6.12 to 7.2",
		layer:  LayerTunnel, class: ClassLoss,
		meaning: "The VXLAN device has no forwarding entry for the address and no default remote: the packet has nowhere to go.",
		check:   "bridge fdb show dev DEV: the MAC, 00:00:00:00:00:00 for all others; ip -d link show dev DEV: remote, nolearning",
		change: "Add the entry: bridge fdb append MAC dev DEV dst REMOTE, or one for 00:00:00:00:00:00; have the CNI " +
			"or control plane that keeps them (flannel, Calico, BGP EVPN) do so.",
		counters: []string{"ip -s link: TX dropped (vxlan)"}},
	{reason: NotSpecified, functions: []string{"vxlan_xmit"},
		source: "drivers/net/vxlan/vxlan_core.c, vxlan_xmit, 5.10 and 6.1: no forwarding entry, no remote, or not told where to go",
		layer:  LayerTunnel, class: ClassLoss,
		meaning: "The VXLAN device has no forwarding entry and no default remote for the packet, so that it goes nowhere.",
		check:   "bridge fdb show dev DEV: the MAC, 00:00:00:00:00:00 for all others; ip -d link show dev DEV: remote, external",
		change: "Add the entry: bridge fdb append MAC dev DEV dst REMOTE, or one for 00:00:00:00:00:00; have the CNI " +
			"or control plane that keeps them do so.",
		counters: []string{"ip -s link: TX dropped (vxlan)"}},
}
