// SPDX-License-Identifier: Apache-2.0

package dropreason

// counterLosses are no reasons of the kernel but counters of packets that were lost
// before there was anything to drop: groups and pictures show them beside reasons.
// What they count is said in include/uapi/linux/if_link.h.
var counterLosses = []Info{
	{Name: "rx_missed_errors", Layer: LayerDriver, Class: ClassLoss,
		Meaning: "The device had no free receive descriptor: the ring is too small for the burst, or its CPU is late.",
		Check:   "ethtool -g DEV: ring in use and its maximum; dropwatch stalls: what keeps the CPU",
		Change:  "Enlarge the ring: ethtool -G DEV rx MAXIMUM. Spread queues over more CPUs: ethtool -L DEV combined N."},
	{Name: "rx_fifo_errors", Layer: LayerDriver, Class: ClassLoss,
		Meaning: "The device's receive FIFO overflowed: the host took packets too slowly.",
		Check:   "ethtool -g DEV; ethtool -S DEV: the driver's own counters; the PCI link's speed (lspci -vv)",
		Change:  "Enlarge the ring: ethtool -G DEV rx MAXIMUM. Turn on flow control where the switch has it: ethtool -A DEV rx on."},
	{Name: "rx_over_errors", Layer: LayerDriver, Class: ClassLoss,
		Meaning: "The device received more than it could hold, or a frame longer than its buffer.",
		Check:   "ethtool -S DEV; ip link show DEV: its MTU, and that of its peers",
		Change:  "Enlarge the ring (ethtool -G DEV rx MAXIMUM), or give all of the network one MTU."},
	{Name: "rx_errors", Layer: LayerDriver, Class: ClassPeerError,
		Meaning: "Frames came damaged: a wrong checksum, length or alignment.",
		Check:   "ip -s -s link show DEV: which kind; ethtool -S DEV; ethtool -m DEV: the optics; the switch's port",
		Change:  "Change the cable, the optics or the port; check speed and duplex on both ends."},
	{Name: "rx_dropped", Layer: LayerDriver, Class: ClassLoss,
		Meaning: "The driver dropped received packets itself, mostly as it got no memory for them.",
		Check:   "ethtool -S DEV: the driver's own counters; free memory",
		Change:  "Raise vm.min_free_kbytes if memory for packets was short."},
	{Name: "tx_dropped", Layer: LayerDriver, Class: ClassLoss,
		Meaning: "The driver dropped packets that were to be sent.",
		Check:   "ethtool -S DEV: the driver's own counters; ethtool -g DEV: the transmit ring",
		Change:  "Enlarge the ring: ethtool -G DEV tx MAXIMUM."},
	{Name: "tx_errors", Layer: LayerDriver, Class: ClassLoss,
		Meaning: "The device could not send packets.",
		Check:   "ip -s -s link show DEV: which kind; ethtool DEV: the link; dmesg: transmit timeouts",
		Change:  "Restore the link; change the cable, the optics or the port."},
	{Name: "TcpExtListenDrops", Layer: LayerTCP, Class: ClassLoss,
		Meaning: "Connection requests found no room at a listener; the kernel forgets them without a drop.",
		Check:   "ss -ltn: Recv-Q, connections not yet accepted, against Send-Q, the room for them",
		Change:  "Accept faster, or raise the listener's backlog and net.core.somaxconn, its limit."},
}
