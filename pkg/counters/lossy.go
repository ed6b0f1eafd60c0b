// SPDX-License-Identifier: Apache-2.0

package counters

import "strings"

// lossy reports whether a driver's statistic (ethtool -S) counts lost or damaged packets. Each
// driver chooses its names, so lossy goes by words: one must mean loss, and none may say that
// no packet was lost. Checksum errors found by hardware do not count, because the stack counts
// them itself.
func lossy(name string) bool {
	name = strings.ToLower(name)
	for _, phrase := range lossPhrases {
		if strings.Contains(name, phrase) {
			return true
		}
	}
	loss := false
	for word := range strings.FieldsFuncSeq(name, notLetter) {
		if contains(notPackets, word) {
			return strings.Contains(name, "drop")
		}
		loss = loss || speaksOfLoss(word)
	}
	return loss
}

func notLetter(r rune) bool { return r < 'a' || r > 'z' }

func speaksOfLoss(word string) bool {
	for _, stem := range lossStems {
		if strings.HasPrefix(word, stem) {
			return true
		}
	}
	return contains(lossWords, word)
}

// lossStems are beginnings of words: drops, dropped, discards, missed, failed, truncated.
var lossStems = []string{"drop", "discard", "miss", "error", "fail", "overrun", "overflow", "underrun", "abort", "trunc", "jabber"}

const lossWords = `err errs crc fcs fifo lost oob invalid exceeded underun undersize oversize fragments`

// lossPhrases are phrases that mean loss, each with a driver that uses it.
var lossPhrases = []string{
	"no_buf",             // e1000e rx_no_buffer_count, gve rx_no_buffers_posted
	"out_of_buf",         // mlx5 rx_out_of_buffer
	"no_mem", "no_space", // hv_netvsc tx_no_memory, tx_no_space
	"too_big",         // hv_netvsc tx_too_big
	"no_dma",          // ixgbe rx_no_dma_resources
	"nodesc",          // sfc port_rx_nodesc_drops
	"bad_desc",        // ena rx_bad_desc_num
	"bad_req",         // ena tx_bad_req_id
	"rxbds_empty",     // tg3
	"if_down_packets", // mlx5 rx_if_down_packets
	"xdp_full",        // mlx5 tx_xdp_full
	"xdp_tx_full",     // mlx5 rx_xdp_tx_full
}

// notPackets are words for things other than packets: checksums, corrected memory errors, flow
// director and aRFS tables, caches, admin queues, interrupts, time stamps, counts of events
// rather than packets, bit errors of a lane before correction.
const notPackets = `ok csum checksum corr corrected fdir atr arfs cache adminq admin arq irq irqs
	interrupt interrupts hwtstamp ptp event events lane reset storm fec`
