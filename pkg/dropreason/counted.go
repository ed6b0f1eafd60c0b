// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"slices"
	"strings"
	"sync"
)

// counted says which counters packets may move that functions free with a reason, besides
// those of the reason: what the kernel counts before it frees is known at the function,
// where the reason is NOT_SPECIFIED, and on a kernel without reasons. A drop moves one of
// them, or several, or none; a reader of counters has to see which have moved.
type counted struct {
	reasons   []string // nil: NOT_SPECIFIED
	functions []string
	counters  []string // as in Info
	source    string
}

// countedAt was read in 5.10, 6.1, 6.12 and 7.2. As in places, what is static may have been
// inlined into its caller, and what ends in a call that frees has its caller's name.
var countedAt = []counted{
	// devices
	{functions: []string{"__dev_forward_skb2", "__dev_forward_skb", "veth_xmit"},
		counters: []string{"ip -s link: TX dropped", "ip -s link: RX dropped (veth peer)", "IpOutDiscards", "Ip6OutDiscards",
			"UdpSndbufErrors", "Udp6SndbufErrors"},
		source: "include/linux/netdevice.h, ____dev_forward_skb: larger than the peer's MTU, or the peer is down; " +
			"drivers/net/veth.c, veth_xmit"},
	{functions: []string{"veth_xdp_rcv_skb", "veth_xdp_rcv", "veth_poll"},
		counters: []string{"ethtool -S: rx_queue_N_xdp_drops", "ip -s link: RX dropped"},
		source:   "drivers/net/veth.c, veth_xdp_rcv_skb"},
	{functions: []string{"tun_net_xmit", "dev_hard_start_xmit"},
		counters: []string{"ip -s link: TX dropped", "IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors", "Udp6SndbufErrors"},
		source:   "drivers/net/tun.c, tun_net_xmit"},
	{functions: []string{"__netif_receive_skb_core", "__netif_receive_skb_one_core", "__netif_receive_skb_list_core"},
		counters: []string{"ip -s link: RX dropped", "ip -s -s link: RX nohandler", "tc -s qdisc: dropped (clsact or ingress)"},
		source:   "net/core/dev.c, __netif_receive_skb_core, sch_handle_ingress"},
	{functions: []string{"sch_handle_ingress", "tc_run"}, counters: []string{"tc -s qdisc: dropped (clsact or ingress)"},
		source: "net/core/dev.c, sch_handle_ingress"},
	{reasons: []string{"NOT_SPECIFIED", "QDISC_DROP"},
		functions: []string{"__dev_queue_xmit", "__dev_xmit_skb", "__tcf_kfree_skb_list", "kfree_skb_list", "kfree_skb_list_reason"},
		counters: []string{"tc -s qdisc: dropped", "tc -s qdisc: dropped (clsact)", "ip -s link: TX dropped",
			"IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors", "Udp6SndbufErrors"},
		source: "net/core/dev.c, __dev_queue_xmit; net/sched/sch_generic.c, noop_enqueue (counts since 6.3) of a device without carrier; __tcf_kfree_skb_list, in 7.2"},

	// IPv4
	{functions: []string{"ip_rcv_core", "ip_rcv", "ip_list_rcv"},
		counters: []string{"IpInHdrErrors", "IpExtInCsumErrors", "IpExtInTruncatedPkts", "IpInDiscards", "ip -s -s link: RX otherhost"},
		source:   "net/ipv4/ip_input.c, ip_rcv_core"},
	{functions: []string{"ip_rcv_finish_core", "ip_rcv_finish", "ip_rcv", "ip_rcv_options"},
		counters: []string{"TcpExtIPReversePathFilter", "IpInHdrErrors", "IpInDiscards", "IpInAddrErrors", "IpExtInNoRoutes"},
		source:   "net/ipv4/ip_input.c, ip_rcv_finish_core, ip_rcv_options"},
	{functions: []string{"ip_error"}, counters: []string{"IpExtInNoRoutes", "IpInAddrErrors"}, source: "net/ipv4/route.c, ip_error"},
	{functions: []string{"ip_forward"}, counters: []string{"IpInHdrErrors", "IpFragFails", "IpInAddrErrors", "IpOutDiscards"},
		source: "net/ipv4/ip_forward.c, ip_forward"},
	{functions: []string{"ip_fragment", "ip_do_fragment"}, counters: []string{"IpFragFails"}, source: "net/ipv4/ip_output.c, ip_do_fragment"},
	{functions: []string{"ip_defrag", "ip_frag_queue", "ip_frag_reasm"}, counters: []string{"IpReasmFails"},
		source: "net/ipv4/ip_fragment.c, ip_defrag: no memory for another queue; ip_frag_queue: fragments that overlap"},
	{functions: []string{"ip_expire"}, counters: []string{"IpReasmTimeout", "IpReasmFails"}, source: "net/ipv4/ip_fragment.c, ip_expire"},
	{functions: []string{"ip_protocol_deliver_rcu", "ip_local_deliver_finish", "ip_local_deliver"},
		counters: []string{"IpInUnknownProtos", "IpInDiscards"}, source: "net/ipv4/ip_input.c, ip_protocol_deliver_rcu"},
	{functions: []string{"icmp_rcv"}, counters: []string{"IcmpInErrors", "IcmpInCsumErrors"}, source: "net/ipv4/icmp.c, icmp_rcv"},

	// IPv6
	{functions: []string{"ip6_rcv_core", "ipv6_rcv", "ipv6_list_rcv"},
		counters: []string{"Ip6InHdrErrors", "Ip6InDiscards", "Ip6InTruncatedPkts", "ip -s -s link: RX otherhost"},
		source:   "net/ipv6/ip6_input.c, ip6_rcv_core"},
	{functions: []string{"ip6_tlvopt_unknown", "ip6_parse_tlv", "ipv6_destopt_rcv", "ipv6_parse_hopopts"}, counters: []string{"Ip6InHdrErrors"},
		source: "net/ipv6/exthdrs.c, ip6_parse_tlv: its callers count"},
	{functions: []string{"ip6_pkt_drop", "ip6_pkt_discard", "ip6_pkt_prohibit"}, counters: []string{"Ip6InNoRoutes", "Ip6InAddrErrors"},
		source: "net/ipv6/route.c, ip6_pkt_drop"},
	{functions: []string{"ip6_pkt_drop", "ip6_pkt_discard_out", "ip6_pkt_prohibit_out"}, counters: []string{"Ip6OutNoRoutes"},
		source: "net/ipv6/route.c, ip6_pkt_drop"},
	{functions: []string{"ip6_forward"},
		counters: []string{"Ip6InHdrErrors", "Ip6InTooBigErrors", "Ip6FragFails", "Ip6InDiscards", "Ip6InAddrErrors"},
		source:   "net/ipv6/ip6_output.c, ip6_forward"},
	{functions: []string{"ipv6_frag_rcv", "ip6_frag_queue", "ip6_frag_reasm"}, counters: []string{"Ip6ReasmFails", "Ip6InHdrErrors"},
		source: "net/ipv6/reassembly.c, ipv6_frag_rcv, ip6_frag_queue"},
	{functions: []string{"ip6_protocol_deliver_rcu", "ip6_input_finish"}, counters: []string{"Ip6InUnknownProtos", "Ip6InDiscards"},
		source: "net/ipv6/ip6_input.c, ip6_protocol_deliver_rcu"},
	{functions: []string{"icmpv6_rcv"}, counters: []string{"Icmp6InErrors", "Icmp6InCsumErrors"}, source: "net/ipv6/icmp.c, icmpv6_rcv"},

	// UDP and TCP
	{functions: []string{"__udp4_lib_rcv", "udp_rcv", "udp_unicast_rcv_skb"},
		counters: []string{"UdpNoPorts", "UdpInErrors", "UdpInCsumErrors", "UdpIgnoredMulti"}, source: "net/ipv4/udp.c, __udp4_lib_rcv"},
	{functions: []string{"__udp4_lib_mcast_deliver"}, counters: []string{"UdpIgnoredMulti"}, source: "net/ipv4/udp.c, __udp4_lib_mcast_deliver"},
	{functions: []string{"udp_queue_rcv_one_skb", "udp_queue_rcv_skb", "__udp_queue_rcv_skb", "__udp_enqueue_schedule_skb"},
		counters: []string{"UdpInErrors", "UdpInCsumErrors", "UdpRcvbufErrors", "UdpMemErrors"}, source: "net/ipv4/udp.c, udp_queue_rcv_one_skb"},
	{functions: []string{"__udp6_lib_rcv", "udpv6_rcv", "udp6_unicast_rcv_skb"},
		counters: []string{"Udp6NoPorts", "Udp6InErrors", "Udp6InCsumErrors", "Udp6IgnoredMulti"}, source: "net/ipv6/udp.c, __udp6_lib_rcv"},
	{functions: []string{"__udp6_lib_mcast_deliver"}, counters: []string{"Udp6IgnoredMulti"}, source: "net/ipv6/udp.c, __udp6_lib_mcast_deliver"},
	{functions: []string{"udpv6_queue_rcv_one_skb", "udpv6_queue_rcv_skb", "__udpv6_queue_rcv_skb"},
		counters: []string{"Udp6InErrors", "Udp6InCsumErrors", "Udp6RcvbufErrors", "Udp6MemErrors"}, source: "net/ipv6/udp.c, udpv6_queue_rcv_one_skb"},
	{functions: []string{"tcp_v4_rcv", "tcp_v6_rcv"},
		counters: []string{"TcpInErrs", "TcpInCsumErrors", "TcpExtListenDrops", "TcpExtListenOverflows", "TcpExtTCPBacklogDrop", "TcpExtTCPMinTTLDrop"},
		source:   "net/ipv4/tcp_ipv4.c, tcp_v4_rcv; net/ipv6/tcp_ipv6.c, tcp_v6_rcv"},
	{functions: []string{"tcp_v4_do_rcv", "tcp_v6_do_rcv", "tcp_rcv_established"}, counters: []string{"TcpInErrs", "TcpInCsumErrors"},
		source: "net/ipv4/tcp_ipv4.c, tcp_v4_do_rcv; net/ipv4/tcp_input.c, tcp_rcv_established"},

	// IPsec: what xfrm_policy_check refuses is counted there, and freed by whoever asked.
	{reasons: []string{"NOT_SPECIFIED", "XFRM_POLICY"},
		functions: []string{
			"__udp4_lib_rcv", "udp_rcv", "udp_queue_rcv_one_skb", "udp_queue_rcv_skb", "udp_unicast_rcv_skb",
			"__udp6_lib_rcv", "udpv6_rcv", "udpv6_queue_rcv_one_skb", "udpv6_queue_rcv_skb", "udp6_unicast_rcv_skb",
			"tcp_v4_rcv", "tcp_v6_rcv", "icmp_rcv", "icmpv6_rcv", "raw_rcv", "raw_local_deliver", "rawv6_rcv",
			"ip_protocol_deliver_rcu", "ip_local_deliver_finish", "ip_local_deliver", "ip6_protocol_deliver_rcu", "ip6_input_finish",
		},
		counters: []string{
			"/proc/net/xfrm_stat: XfrmInPolBlock", "/proc/net/xfrm_stat: XfrmInNoPols", "/proc/net/xfrm_stat: XfrmInTmplMismatch",
			"/proc/net/xfrm_stat: XfrmInPolError", "/proc/net/xfrm_stat: XfrmInHdrError", "/proc/net/xfrm_stat: XfrmInStateMismatch",
			"/proc/net/xfrm_stat: XfrmInBufferError", "UdpInErrors", "Udp6InErrors", "Ip6InDiscards",
		},
		source: "net/xfrm/xfrm_policy.c, __xfrm_policy_check"},
	{reasons: []string{"NOT_SPECIFIED", "XFRM_POLICY"}, functions: []string{"ip_forward", "ip6_forward"},
		counters: []string{
			"/proc/net/xfrm_stat: XfrmInPolBlock", "/proc/net/xfrm_stat: XfrmInNoPols", "/proc/net/xfrm_stat: XfrmInTmplMismatch",
			"/proc/net/xfrm_stat: XfrmInPolError", "/proc/net/xfrm_stat: XfrmInHdrError", "/proc/net/xfrm_stat: XfrmFwdHdrError",
			"/proc/net/xfrm_stat: XfrmOutPolBlock", "/proc/net/xfrm_stat: XfrmOutPolError", "/proc/net/xfrm_stat: XfrmOutNoStates",
			"/proc/net/xfrm_stat: XfrmOutBundleGenError", "Ip6InDiscards",
		},
		source: "net/xfrm/xfrm_policy.c, __xfrm_policy_check, __xfrm_route_forward"},
	{reasons: []string{"NOT_SPECIFIED", "XFRM_POLICY"},
		functions: []string{"xfrm_input", "xfrm4_rcv", "xfrm6_rcv", "xfrm4_esp_rcv", "xfrm6_esp_rcv", "xfrm4_ah_rcv", "xfrm6_ah_rcv",
			"xfrm4_rcv_encap", "xfrm6_rcv_encap", "xfrm4_udp_encap_rcv", "xfrm6_rcv_spi", "xfrm6_rcv_tnl"},
		counters: []string{
			"/proc/net/xfrm_stat: XfrmInError", "/proc/net/xfrm_stat: XfrmInBufferError", "/proc/net/xfrm_stat: XfrmInHdrError",
			"/proc/net/xfrm_stat: XfrmInNoStates", "/proc/net/xfrm_stat: XfrmInStateProtoError", "/proc/net/xfrm_stat: XfrmInStateModeError",
			"/proc/net/xfrm_stat: XfrmInStateSeqError", "/proc/net/xfrm_stat: XfrmInStateExpired", "/proc/net/xfrm_stat: XfrmInStateMismatch",
			"/proc/net/xfrm_stat: XfrmInStateInvalid", "/proc/net/xfrm_stat: XfrmAcquireError",
		},
		source: "net/xfrm/xfrm_input.c, xfrm_input"},
	{reasons: []string{"NOT_SPECIFIED", "XFRM_POLICY"},
		functions: []string{"xfrm_output", "xfrm_output_resume", "xfrm_output_one", "xfrm_output2", "xfrm4_output", "xfrm6_output",
			"__xfrm4_output", "__xfrm6_output", "dst_discard_out", "dst_discard", "dst_blackhole_output", "xdst_queue_output", "xfrm_policy_queue_process"},
		counters: []string{
			"/proc/net/xfrm_stat: XfrmOutError", "/proc/net/xfrm_stat: XfrmOutStateProtoError", "/proc/net/xfrm_stat: XfrmOutStateModeError",
			"/proc/net/xfrm_stat: XfrmOutStateSeqError", "/proc/net/xfrm_stat: XfrmOutStateExpired", "/proc/net/xfrm_stat: XfrmOutStateInvalid",
			"/proc/net/xfrm_stat: XfrmOutNoStates", "IpOutDiscards", "Ip6OutDiscards",
		},
		source: "net/xfrm/xfrm_output.c, xfrm_output_one; net/xfrm/xfrm_policy.c, xfrm_lookup"},
}

// CountedAt returns the counters, as Info has them, that a kernel function may have moved
// before it freed packets with a reason, besides those that At returns; some may be in
// both. What compilers append to the function after a dot does not count. The slice is
// shared and must not be changed.
func CountedAt(reason, function string) []string {
	function, _, _ = strings.Cut(function, ".")
	return countersByPlace()[at{canonical(reason), function}]
}

var countersByPlace = sync.OnceValue(func() map[at][]string {
	byPlace := make(map[at][]string)
	for _, c := range countedAt {
		reasons := c.reasons
		if reasons == nil {
			reasons = []string{NotSpecified}
		}
		for _, reason := range reasons {
			for _, function := range c.functions {
				here := at{reason, function}
				for _, counter := range c.counters {
					if !slices.Contains(byPlace[here], counter) {
						byPlace[here] = append(byPlace[here], counter)
					}
				}
			}
		}
	}
	return byPlace
})
