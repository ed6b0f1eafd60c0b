// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"slices"
	"strings"
	"testing"
)

// TestInfer holds what the sources of 5.10.7 and 5.15.85 say.
func TestInfer(t *testing.T) {
	for function, want := range map[string]string{
		"enqueue_to_backlog":               "CPU_BACKLOG",    // net/core/dev.c, its label drop
		"nf_hook_slow":                     "NETFILTER_DROP", // net/netfilter/core.c, NF_DROP
		"neigh_invalidate":                 "NEIGH_FAILED",   // net/core/neighbour.c
		"arp_error_report":                 "NEIGH_FAILED",   // net/ipv4/arp.c
		"ndisc_error_report":               "NEIGH_FAILED",   // net/ipv6/ndisc.c
		"__neigh_event_send":               "NEIGH_QUEUEFULL",
		"neigh_resolve_output":             "NEIGH_HH_FILLFAIL",
		"neigh_flush_dev.isra.0":           "QUEUE_PURGE",
		"neigh_destroy.cold":               "QUEUE_PURGE",
		"ip_fragment.constprop.0":          "PKT_TOO_BIG",       // net/ipv4/ip_output.c, FRAGFAILS
		"ip_finish_output":                 "BPF_CGROUP_EGRESS", // the program's verdict
		"__ip_queue_xmit":                  "IP_OUTNOROUTES",    // no_route
		"ip6_pkt_discard":                  "IP_INNOROUTES",     // net/ipv6/route.c
		"ip6_pkt_discard_out":              "IP_OUTNOROUTES",
		"ip_expire":                        "FRAG_REASM_TIMEOUT", // net/ipv4/ip_fragment.c
		"ip6_frag_expire":                  "FRAG_REASM_TIMEOUT", // include/net/ipv6_frag.h
		"__first_packet_length":            "UDP_CSUM",           // net/ipv4/udp.c
		"first_packet_length.part.0":       "UDP_CSUM",
		"fq_codel_dequeue":                 "QDISC_CONGESTED",   // net/sched/sch_fq_codel.c, drop_func
		"packet_rcv":                       "PACKET_SOCK_ERROR", // net/packet/af_packet.c, drop_n_acct
		"tpacket_rcv.cold":                 "PACKET_SOCK_ERROR",
		"skb_queue_purge":                  "QUEUE_PURGE",  // net/core/skbuff.c
		"inet_sock_destruct":               "QUEUE_PURGE",  // net/ipv4/af_inet.c
		"unix_release_sock":                "SOCKET_CLOSE", // net/unix/af_unix.c
		"can_rcv":                          "CAN_RX_INVALID_FRAME",
		"macvlan_broadcast_enqueue.llvm.7": "MACVLAN_BROADCAST_BACKLOG",
	} {
		if got, ok := Infer(function); got != want || !ok {
			t.Errorf("Infer(%q) = %q, %t, want %q", function, got, ok, want)
		}
	}
}

// TestInferUnspecified holds functions that free for several reasons in 5.10.7, 5.15.85
// or 6.18, and such as free what is no loss: nothing may be inferred of them.
func TestInferUnspecified(t *testing.T) {
	for _, function := range []string{
		"tcp_v4_rcv", "tcp_v6_rcv", // NO_SOCKET, TCP_CSUM, XFRM_POLICY, TCP_MINTTL
		"tcp_v4_do_rcv", "tcp_validate_incoming",
		"__udp4_lib_rcv", "__udp6_lib_rcv", // NO_SOCKET, UDP_CSUM, XFRM_POLICY
		"udp_queue_rcv_one_skb",                 // SOCKET_FILTER, UDP_CSUM, SOCKET_RCVBUFF
		"__udp_queue_rcv_skb",                   // SOCKET_RCVBUFF, PROTO_MEM
		"icmp_rcv",                              // ICMP_CSUM, PKT_TOO_SMALL
		"ip_rcv_core", "ip_rcv", "ip6_rcv_core", // OTHERHOST, IP_INHDR, IP_CSUM, PKT_TOO_SMALL
		"ip_rcv_finish_core",        // IP_RPFILTER, UNICAST_IN_L2_MULTICAST, IP_INHDR
		"ip_error",                  // IP_INADDRERRORS, IP_INNOROUTES
		"ip_forward", "ip6_forward", // IP_INHDR, PKT_TOO_BIG, XFRM_POLICY
		"ip_protocol_deliver_rcu",                 // IP_NOPROTO, XFRM_POLICY
		"ip_local_deliver_finish",                 // its caller, to which it jumps
		"ip_finish_output2", "ip6_finish_output2", // NEIGH_CREATEFAIL, NOMEM
		"ip6_finish_output",                           // __ip6_finish_output is inlined
		"ip6_pkt_drop.isra.0",                         // IP_INNOROUTES, IP_OUTNOROUTES
		"__netif_receive_skb_core.constprop.0",        // TC_INGRESS, UNHANDLED_PROTO, PFMEMALLOC
		"__dev_queue_xmit",                            // TC_EGRESS, QDISC_DROP, RECURSION_LIMIT
		"do_xdp_generic", "netif_receive_generic_xdp", // a verdict, or a redirect that failed
		"kfree_skb_list", "kfree_skb_list_reason", // QDISC_DROP, or fragments of what arrived
		"net_tx_action",          // what a driver freed before
		"inet_frag_rbtree_purge", // FRAG_REASM_TIMEOUT, FRAG_TOO_FAR
		"igmp_rcv",               // 5.10 frees so what it has handled
		"tun_net_xmit", "vxlan_rcv", "do_syscall_64", "[unknown]", ".cold", "",
	} {
		if got, ok := Infer(function); ok || got != "" {
			t.Errorf("Infer(%q) = %q, %t, want none", function, got, ok)
		}
	}
}

func TestInferences(t *testing.T) {
	var functions []string
	for _, rule := range inferences {
		if Lookup(rule.reason).Meaning == "" || rule.reason == NotSpecified {
			t.Errorf("%s: no such reason", rule.reason)
		}
		for _, function := range rule.functions {
			if function == "" || strings.Contains(function, ".") || slices.Contains(functions, function) {
				t.Errorf("%s: function %q, which cannot be or is there twice", rule.reason, function)
			}
			functions = append(functions, function)
		}
	}
}

func TestNameAt(t *testing.T) {
	none := values{}
	few := values{ // the first of 5.15.85
		{Name: "SKB_DROP_REASON_NOT_SPECIFIED", Value: 0},
		{Name: "SKB_DROP_REASON_NO_SOCKET", Value: 1},
	}
	many := values{
		{Name: "SKB_NOT_DROPPED_YET", Value: 0},
		{Name: "SKB_DROP_REASON_NOT_SPECIFIED", Value: 1},
		{Name: "SKB_DROP_REASON_CPU_BACKLOG", Value: 2},
		{Name: "SKB_DROP_REASON_NEIGH_FAILED", Value: 3},
	}
	for name, test := range map[string]struct {
		enum     values
		code     uint32
		function string
		want     string
		inferred bool
	}{
		"no reasons, known":        {none, 0, "enqueue_to_backlog", "CPU_BACKLOG", true},
		"no reasons, unknown":      {none, 0, "tcp_v4_rcv", "NOT_SPECIFIED", false},
		"no reasons but a code":    {none, 7, "enqueue_to_backlog", "7", false},
		"not specified, known":     {few, 0, "nf_hook_slow", "NETFILTER_DROP", true},
		"not specified, unknown":   {few, 0, "__udp4_lib_rcv", "NOT_SPECIFIED", false},
		"specified":                {few, 1, "enqueue_to_backlog", "NO_SOCKET", false},
		"rarely: the word unused":  {many, 1, "enqueue_to_backlog", "NOT_SPECIFIED", false},
		"never: the word unused":   {many, 1, "neigh_invalidate", "NEIGH_FAILED", true},
		"rarely: no such word yet": {many, 1, "__neigh_event_send", "NEIGH_QUEUEFULL", true},
		"no reason at all":         {many, 0, "enqueue_to_backlog", "0", false},
		"without symbols":          {none, 0, "", "NOT_SPECIFIED", false},
	} {
		t.Run(name, func(t *testing.T) {
			enums := map[string]values{}
			if len(test.enum) > 0 {
				enums["skb_drop_reason"] = test.enum
			}
			n := fromEnums(t, enums)
			got, inferred := n.NameAt(test.code, test.function)
			if got != test.want || inferred != test.inferred {
				t.Errorf("%q, %t, want %q, %t", got, inferred, test.want, test.inferred)
			}
		})
	}
}
