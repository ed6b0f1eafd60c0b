// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"strings"
	"testing"
)

// TestLossy holds names that drivers of 5.10 to 6.18 have.
func TestLossy(t *testing.T) {
	for _, test := range []struct{ driver, lossy, harmless string }{
		{"e1000e", `rx_errors tx_errors tx_dropped rx_length_errors rx_over_errors rx_crc_errors rx_frame_errors
			rx_no_buffer_count rx_missed_errors tx_aborted_errors tx_carrier_errors tx_fifo_errors tx_window_errors
			rx_long_length_errors rx_align_errors alloc_rx_buff_failed dropped_smbus rx_dma_failed tx_dma_failed
			uncorr_ecc_errors`,
			`rx_packets tx_bytes rx_broadcast multicast collisions tx_deferred_ok tx_single_coll_ok tx_timeout_count
			tx_restart_queue tx_tcp_seg_good rx_flow_control_xon rx_csum_offload_good rx_csum_offload_errors
			rx_header_split rx_hwtstamp_cleared corr_ecc_errors tx_hwtstamp_timeouts tx_hwtstamp_skipped`},
		{"igb", `rx_queue_0_drops rx_queue_0_alloc_failed rx_queue_3_drops rx_fifo_errors`,
			`rx_queue_0_packets rx_queue_0_csum_err tx_queue_1_restart os2bmc_rx_by_bmc rx_long_byte_count`},
		{"ixgbe", `rx_no_dma_resources rx_missed_errors rx_dropped alloc_rx_page_failed alloc_rx_buff_failed
			rx_fcoe_dropped`,
			`fdir_match fdir_miss fdir_overflow rx_csum_offload_errors lsc_int tx_busy non_eop_descs rx_pb_0_pxon_rx`},
		{"i40e", `port.rx_dropped port.tx_dropped_link_down port.rx_crc_errors port.rx_length_errors
			port.rx_undersize port.rx_oversize port.rx_fragments port.rx_jabber veb.rx_discards veb.tx_errors
			rx_alloc_fail rx_pg_alloc_fail`,
			`port.fdir_atr_match port.fdir_flush_cnt port.arq_overflows port.rx_csum_bad tx_linearize tx_force_wb
			rx_cache_reuse port.link_xon_rx veb.tc_0_rx_packets`},
		{"ice", `rx_dropped rx_alloc_fail rx_pg_alloc_fail tx_errors rx_crc_errors.nic tx_dropped_link_down.nic
			rx_jabber.nic rx_len_errors.nic rx_dropped.nic rx_eipe_error.nic`,
			`rx_csum_bad.nic tx_timeout.nic link_xoff_tx.nic tx_hwtstamp_skipped rx_queue_0_packets`},
		{"mlx5", `rx_out_of_buffer rx_discards_phy tx_discards_phy rx_steer_missed_packets rx_xdp_drop rx_wqe_err
			rx_oversize_pkts_sw_drop rx_buff_alloc_err tx_queue_dropped tx_cqe_err rx_crc_errors_phy rx_symbol_err_phy
			rx_in_range_len_errors_phy rx_oversize_pkts_phy rx_undersize_pkts_phy rx_fragments_phy rx_jabbers_phy
			tx_errors_phy rx_prio0_discards rx_prio0_buf_discard rx_prio0_cong_discard dev_internal_queue_oob
			rx0_xdp_drop rx0_wqe_err rx0_buff_alloc_err tx0_dropped tx0_cqe_err rx_if_down_packets
			outbound_pci_buffer_overflow tx_xdp_full rx_xdp_tx_full tx_xdp_err rx_tls_err tx_tls_drop_no_sync_data`,
			`rx_packets tx_tso_packets rx_csum_none rx_csum_complete rx_corrected_bits_phy rx_err_lane_0_phy
			link_down_events_phy rx_arfs_err rx_cache_full rx_pp_alloc_slow tx_queue_stopped tx_xmit_more ch_poll
			tx_pause_storm_error_events tx_pause_storm_warning_events outbound_pci_stalled_rd_events
			rx_prio0_pause rx_cqe_compress_blks rx_recover module_bus_stuck`},
		{"ena", `bw_in_allowance_exceeded bw_out_allowance_exceeded pps_allowance_exceeded
			conntrack_allowance_exceeded linklocal_allowance_exceeded queue_0_tx_dma_mapping_err
			queue_0_tx_linearize_failed queue_0_tx_prepare_ctx_err queue_0_tx_bad_req_id queue_0_tx_missed_tx
			queue_0_rx_page_alloc_fail queue_0_rx_skb_alloc_fail queue_0_rx_bad_desc_num queue_0_rx_xdp_aborted
			queue_0_rx_xdp_drop queue_0_rx_xdp_invalid rx_overruns`,
			`conntrack_allowance_available queue_0_tx_cnt queue_0_tx_queue_stop queue_0_rx_bad_csum
			queue_0_rx_csum_good queue_0_rx_empty_rx_ring queue_0_tx_unmask_interrupt reset_fail admin_q_pause
			ena_admin_q_aborted_cmd wd_expired interface_down`},
		{"virtio_net", `rx_queue_0_drops rx_queue_0_xdp_drops tx_queue_0_xdp_tx_drops rx_queue_0_hw_drop_overruns`,
			`rx_queue_0_packets rx_queue_0_xdp_redirects rx_queue_0_kicks tx_queue_0_tx_timeouts`},
		{"hv_netvsc", `tx_no_memory tx_no_space tx_too_big rx_no_memory vlan_error vf_tx_dropped rx_queue_0_xdp_drop`,
			`tx_scattered tx_busy tx_send_full rx_comp_busy stop_queue wake_queue vf_rx_packets cpu0_rx_packets`},
		{"veth", `rx_queue_0_drops rx_queue_0_xdp_drops rx_queue_0_xdp_redirect_errors rx_queue_0_xdp_tx_errors
			tx_queue_0_xdp_xmit_errors`,
			`peer_ifindex rx_queue_0_xdp_packets rx_queue_0_xdp_redirect tx_queue_0_xdp_xmit rx_pp_alloc_fast`},
		{"gve", `rx_dropped tx_dropped rx_skb_alloc_fail rx_buf_alloc_fail rx_desc_err_dropped_pkt page_alloc_fail
			dma_mapping_error rx_queue_drop_cnt[0] rx_no_buffers_posted[0] rx_drops_packet_over_mru[0]
			rx_drops_invalid_checksum[0] rx_xdp_aborted[0] tx_dma_mapping_error[0]`,
			`interface_up_cnt reset_cnt adminq_cmd_fail adminq_timeouts rx_posted_desc[0] rx_copied_pkt[0]
			tx_timeouts stats_report_trigger_cnt`},
		{"others", `port_rx_nodesc_drops rx_noskb_drops rxbds_empty rx_total_discard_pkts rx_fcs_err_frames`,
			`missed_irqs rx_errors_ok rx_l4_csum_errors rx_cache_miss dma_readq_full`},
	} {
		for name := range strings.FieldsSeq(test.lossy) {
			if !lossy(name) {
				t.Errorf("%s: %s counts losses", test.driver, name)
			}
		}
		for name := range strings.FieldsSeq(test.harmless) {
			if lossy(name) {
				t.Errorf("%s: %s counts no losses", test.driver, name)
			}
		}
	}
}
