// SPDX-License-Identifier: Apache-2.0

package dropreason

import "testing"

func TestLayerOf(t *testing.T) {
	for function, want := range map[string]Layer{
		"nft_do_chain": LayerNetfilter, "nf_hook_slow": LayerNetfilter,
		"__netif_receive_skb_one_core": LayerDevice, "enqueue_to_backlog": LayerDevice, "__napi_poll": LayerDevice,
		"tcp_v4_rcv": LayerTCP, "tcp_data_queue": LayerTCP,
		"udp_unicast_rcv_skb": LayerUDP, "__udp4_lib_rcv": LayerUDP, "udp_tunnel_xmit_skb": LayerTunnel,
		"ip_rcv_finish": LayerIP, "ip6_forward": LayerIP, "icmp_rcv": LayerIP, "ip_tunnel_xmit": LayerTunnel,
		"neigh_timer_handler": LayerNeighbour, "arp_solicit": LayerNeighbour,
		"tbf_enqueue": LayerQdisc, "__qdisc_run": LayerQdisc, "tcf_classify": LayerTC, "tc_run": LayerTC,
		"sk_filter_trim_cap": LayerBPF, "bpf_prog_6deef7357e7b4530_x": LayerBPF,
		"br_handle_frame": LayerBridge, "veth_xmit": LayerDriver, "mlx5e_poll": LayerDriver,
		"__x64_sys_sendto": LayerSocket, "__sys_sendto": LayerSocket, "unix_dgram_sendmsg": LayerSocket,
		"do_syscall_64": LayerUnknown, "worker_thread": LayerUnknown, "": LayerUnknown,
	} {
		if got := LayerOf(function); got != want {
			t.Errorf("LayerOf(%q) = %s, want %s", function, got, want)
		}
	}
}
