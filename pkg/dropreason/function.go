// SPDX-License-Identifier: Apache-2.0

package dropreason

import "strings"

// LayerOf returns the layer a kernel function belongs to, by its name, and
// LayerUnknown for functions outside the network stack. It is meant for colors:
// names follow conventions, not rules.
func LayerOf(function string) Layer {
	name := strings.TrimLeft(function, "_")
	for _, rule := range functionLayers {
		for _, prefix := range rule.prefixes {
			if strings.HasPrefix(name, prefix) {
				return rule.layer
			}
		}
	}
	return LayerUnknown
}

// functionLayers is asked in this order: special names come before the prefixes
// they begin with.
var functionLayers = []struct {
	layer    Layer
	prefixes []string
}{
	{LayerBPF, []string{"bpf_prog_", "bpf_", "cgroup_bpf_", "xdp_", "do_xdp_", "sk_filter"}},
	{LayerNetfilter, []string{"nft_", "nf_", "ipt_", "ip6t_", "ipt6_", "xt_", "nfqnl_", "nfnetlink_", "iptable_", "ip6table_", "ebt_"}},
	{LayerTunnel, []string{"vxlan_", "geneve_", "gre_", "ipgre_", "ip_tunnel_", "ip6_tnl_", "ip6gre_", "ipip_", "sit_", "iptunnel_", "udp_tunnel", "wg_", "fou_", "l2tp_", "erspan_"}},
	{LayerBridge, []string{"br_", "ovs_", "nbp_"}},
	{LayerTC, []string{"tcf_", "tc_", "cls_", "tcx_", "sch_handle_", "mini_qdisc_", "ife_", "u32_", "fl_classify"}},
	{LayerQdisc, []string{"qdisc_", "sch_", "tbf_", "htb_", "fq_", "pfifo_", "bfifo_", "codel_", "cake_", "sfq_", "netem_", "hfsc_", "red_", "mq_", "prio_enqueue", "dev_requeue_", "drr_", "ets_"}},
	{LayerNeighbour, []string{"neigh_", "arp_", "ndisc_"}},
	{LayerSecurity, []string{"xfrm", "esp_", "esp6_", "ah_", "ah6_", "psp_", "security_", "selinux_", "apparmor_", "macsec_"}},
	{LayerTCP, []string{"tcp", "inet_csk_", "inet_twsk_", "mptcp_"}},
	{LayerUDP, []string{"udp"}},
	{LayerIP, []string{"ip_", "ip6_", "ipv4_", "ipv6_", "ip4_", "icmp", "fib", "rt6_", "inet_frag", "inet6_frag", "igmp", "mld_", "ip_mr", "ip6mr", "raw_", "rawv6_", "ping_", "dst_", "lwtunnel_"}},
	{LayerWireless, []string{"ieee80211_", "cfg80211_", "mac80211_"}},
	{LayerCAN, []string{"can_"}},
	{LayerDriver, []string{"veth_", "tun_", "tap_", "macvlan_", "ipvlan_", "virtnet_", "e1000", "igb_", "igc_", "ixgbe_", "ice_", "i40e_", "iavf_", "mlx", "bnxt_", "ena_", "gve_", "netvsc_", "mana_", "vmxnet3_", "bond_", "team_", "vlan_", "loopback_xmit", "ifb_", "dummy_xmit", "r8169_", "tg3_", "bnx2"}},
	{LayerSocket, []string{"sock_", "sk_", "sys_send", "sys_recv", "sys_sock", "sys_accept", "sys_connect", "sys_close", "x64_sys_send", "x64_sys_recv", "x64_sys_sock", "x64_sys_accept", "x64_sys_connect", "arm64_sys_send", "arm64_sys_recv", "inet_", "inet6_", "unix_", "packet_", "tpacket_", "netlink_", "vsock_", "virtio_transport_", "skb_recv_", "datagram_", "release_sock"}},
	{LayerDevice, []string{"netif_", "dev_", "napi_", "gro_", "inet_gro", "skb_gro", "process_backlog", "enqueue_to_backlog", "deliver_skb", "net_rx_action", "net_tx_action", "validate_xmit_", "rps_", "flush_backlog", "generic_xdp", "eth_type_trans"}},
	{LayerCore, []string{"skb_", "kfree_skb", "consume_skb", "alloc_skb", "pskb_"}},
}
