// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
)

// deviceTally counts by a statistic of the host's device.
func (h *Host) deviceTally(statistic string) *tally {
	return deviceTally(h.nl, h.Device, statistic)
}

func deviceTally(nl *netlink.Handle, device, statistic string) *tally {
	return &tally{name: device + " " + statistic, get: func() (uint64, error) {
		link, err := nl.LinkByName(device)
		if err != nil {
			return 0, fmt.Errorf("find %s: %w", device, err)
		}
		stats := link.Attrs().Statistics
		if stats == nil {
			return 0, fmt.Errorf("find statistics of %s", device)
		}
		if statistic == "tx_dropped" {
			return stats.TxDropped, nil
		}
		return stats.RxDropped, nil
	}}
}

// qdiscTally counts by the drops of a queueing discipline of the host's device.
func (h *Host) qdiscTally(kind string) *tally {
	return &tally{name: h.Device + " " + kind + " drops", get: func() (uint64, error) {
		qdiscs, err := h.nl.QdiscList(h.link)
		if err != nil {
			return 0, fmt.Errorf("list queueing disciplines: %w", err)
		}
		for _, q := range qdiscs {
			if stats := q.Attrs().Statistics; q.Type() == kind && stats != nil && stats.Queue != nil {
				return uint64(stats.Queue.Drops), nil
			}
		}
		return 0, fmt.Errorf("find %s on %s: %w", kind, h.Device, os.ErrNotExist)
	}}
}
