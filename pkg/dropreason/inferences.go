// SPDX-License-Identifier: Apache-2.0

package dropreason

// inference is a rule: these functions free packets for this reason.
type inference struct {
	reason    string
	functions []string
	rarely    string // what else they free for, now and then
}

// inferences lists functions that free packets for one reason. Those that do so for
// several (tcp_v4_rcv, __udp4_lib_rcv, ip_rcv_core and most others) are left out.
//
// They were read in 5.10.7, 5.10.265 and 5.15.85. Three things blur locations: a function
// that ends in kfree_skb(skb) jumps there, and its caller is the location; static
// functions are inlined into their callers; and whatever kfree_skb_list frees is freed
// where that was called (pkg/trace), which of __dev_queue_xmit does not tell packets that
// a queue refuses from those of a device that is down.
var inferences = []inference{
	// net/core/dev.c
	{"CPU_BACKLOG", []string{"enqueue_to_backlog"}, "a device going down that very moment"},

	// net/netfilter: what a hook drops is freed by nf_hook_slow, on newer kernels by
	// nft_do_chain itself.
	{"NETFILTER_DROP", []string{"nf_hook_slow", "nft_do_chain"}, ""},

	// net/core/neighbour.c. The reports of errors end in freeing: their location is
	// neigh_invalidate.
	{"NEIGH_FAILED", []string{"neigh_invalidate", "arp_error_report", "ndisc_error_report"}, ""},
	{"NEIGH_QUEUEFULL", []string{"__neigh_event_send"}, "an entry being removed, or devices that send no probes"},
	{"NEIGH_HH_FILLFAIL", []string{"neigh_resolve_output", "neigh_connected_output"}, ""},

	// net/ipv4/ip_output.c, net/ipv6/route.c
	{"IP_INNOROUTES", []string{"ip6_pkt_discard", "ip6_pkt_prohibit"}, "packets to ::"},
	{"IP_OUTNOROUTES", []string{"__ip_queue_xmit", "ip_queue_xmit", "ip6_pkt_discard_out", "ip6_pkt_prohibit_out"}, ""},
	{"PKT_TOO_BIG", []string{"ip_fragment"}, ""},
	// Not ip6_finish_output, into which more is inlined.
	{"BPF_CGROUP_EGRESS", []string{"ip_finish_output", "ip_mc_finish_output"}, ""},

	// net/ipv4/ip_fragment.c, include/net/ipv6_frag.h.
	{"FRAG_REASM_TIMEOUT", []string{"ip_expire", "ip6_frag_expire", "nf_ct_frag6_expire", "ip6frag_expire_frag_queue"}, ""},

	// net/ipv4/udp.c: a checksum that is looked at when a program asks for the length.
	{"UDP_CSUM", []string{"first_packet_length", "__first_packet_length"}, ""},

	// net/sched: CoDel frees at dequeue what it drops.
	{"QDISC_CONGESTED", []string{"codel_qdisc_dequeue", "fq_codel_dequeue"}, ""},

	// net/packet/af_packet.c: a capture's copy.
	{"PACKET_SOCK_ERROR", []string{"packet_rcv", "tpacket_rcv"}, ""},

	// Queues of what has gone away. Nobody misses these packets.
	{"QUEUE_PURGE", []string{"skb_queue_purge", "inet_sock_destruct", "sk_stream_kill_queues", "neigh_flush_dev", "neigh_destroy"}, ""},
	{"SOCKET_CLOSE", []string{"unix_release_sock"}, ""},

	// net/can/af_can.c, drivers/net/macvlan.c.
	{"CAN_RX_INVALID_FRAME", []string{"can_rcv"}, ""},
	{"CANFD_RX_INVALID_FRAME", []string{"canfd_rcv"}, ""},
	{"MACVLAN_BROADCAST_BACKLOG", []string{"macvlan_broadcast_enqueue"}, ""},
}
