// SPDX-License-Identifier: Apache-2.0

package dropreason

// deviceReasons are given before and after the protocols: by drivers, by the
// device-independent core, by BPF programs, and by no layer in particular.
var deviceReasons = []Info{
	// any layer
	{Name: "NOT_SPECIFIED", Layer: LayerUnknown, Class: ClassUnknown,
		Meaning: "The kernel states no reason here; the location and the stack have to tell."},
	{Name: "NOMEM", Layer: LayerCore, Class: ClassLoss,
		Meaning: "A packet buffer could not be allocated, copied or enlarged: the kernel was short of memory."},
	{Name: "PFMEMALLOC", Layer: LayerCore, Class: ClassLoss,
		Meaning:  "The packet lies in the emergency memory reserve, kept for swapping over the network: this node is out of memory.",
		Counters: []string{"TcpExtPFMemallocDrop", "ip -s link: RX dropped"}},
	{Name: "PKT_TOO_SMALL", Layer: LayerCore, Class: ClassPeerError,
		Meaning: "The packet is shorter than its headers say, or than the protocol needs: cut off or malformed.",
		Counters: []string{"IpExtInTruncatedPkts", "Ip6InTruncatedPkts", "IcmpInErrors", "Icmp6InErrors",
			"TcpInErrs", "UdpInErrors", "Udp6InErrors"}},
	{Name: "QUEUE_PURGE", Layer: LayerCore, Class: ClassBenign,
		Meaning: "A whole queue was thrown away, mostly because its socket, connection or device went away."},
	{Name: "SKB_CSUM", Layer: LayerCore, Class: ClassPeerError,
		Meaning:  "The checksum was wrong at a raw IPv6 socket, or could not be computed for a tap device.",
		Counters: []string{"ss -m: d", "ip -s link: RX dropped (macvtap)"}},

	// core receive and transmit, net/core/dev.c
	{Name: "CPU_BACKLOG", Layer: LayerDevice, Class: ClassLoss,
		Meaning: "The CPU's receive backlog is full (net.core.netdev_max_backlog), or the RPS flow limit held back one big flow.",
		Counters: []string{"/proc/net/softnet_stat: dropped (column 2)",
			"/proc/net/softnet_stat: flow_limit_count (column 11)", "ip -s link: RX dropped"},
		Sysctls: []string{"net.core.netdev_max_backlog", "net.core.flow_limit_cpu_bitmap",
			"net.core.flow_limit_table_len"}},
	{Name: "UNHANDLED_PROTO", Layer: LayerDevice, Class: ClassBenign,
		Meaning:  "No protocol handler wants the packet: LLDP, spanning tree, an unknown EtherType, or an inactive bond port.",
		Counters: []string{"ip -s link: RX dropped", "ip -s -s link: RX nohandler"}},
	{Name: "DEV_READY", Layer: LayerDevice, Class: ClassLoss,
		Meaning:  "The device was down, going away, or had nobody attached to it when the packet came.",
		Counters: []string{"ip -s link: RX dropped", "ip -s link: TX dropped"}},
	{Name: "RECURSION_LIMIT", Layer: LayerDevice, Class: ClassLoss,
		Meaning:  "Virtual devices are nested too deeply or send to each other in a loop, so the packet was cut off.",
		Counters: []string{"ip -s link: TX dropped", "ip -s link: TX errors (tunnel)"}},
	{Name: "SKB_BAD_GSO", Layer: LayerDevice, Class: ClassPeerError,
		Meaning:  "A guest or program handed in an oversized packet whose segmentation data make no sense.",
		Counters: []string{"ip -s link: TX dropped"}},

	// drivers; most are given by tun and tap only
	{Name: "FULL_RING", Layer: LayerDriver, Class: ClassLoss,
		Meaning:  "The ring to a VM, VPN or tunnel is full: whoever reads from it is too slow.",
		Counters: []string{"ip -s link: TX dropped (tun)", "ip -s link: RX dropped (macvtap)"}},
	{Name: "DEV_HDR", Layer: LayerDriver, Class: ClassPeerError,
		Meaning:  "A guest or program wrote a packet with an invalid virtio-net header into a tap device.",
		Counters: []string{"ip -s link: TX dropped (macvtap)"}},
	{Name: "HDR_TRUNC", Layer: LayerDriver, Class: ClassPeerError,
		Meaning:  "A program wrote a frame shorter than an Ethernet header into a tap device.",
		Counters: []string{"ip -s link: RX dropped"}},
	{Name: "TAP_TXFILTER", Layer: LayerDriver, Class: ClassPolicy,
		Meaning:  "The MAC filter that the VM set on its tap device does not want this frame.",
		Counters: []string{"ip -s link: TX dropped"}},
	{Name: "SKB_GSO_SEG", Layer: LayerDriver, Class: ClassLoss,
		Meaning:  "A large packet could not be cut into segments for a tap device.",
		Counters: []string{"ip -s link: RX dropped (macvtap)"}},
	{Name: "SKB_UCOPY_FAULT", Layer: LayerDriver, Class: ClassLoss,
		Meaning:  "Packet data could not be copied between user memory and a tun or tap device.",
		Counters: []string{"ip -s link: RX dropped (tun)", "ip -s link: TX dropped (tun or macvtap)"}},
	{Name: "MACVLAN_BROADCAST_BACKLOG", Layer: LayerDriver, Class: ClassLoss,
		Meaning:  "Too many broadcasts or multicasts wait for the macvlan devices of this port (bcqueuelen).",
		Counters: []string{"ip -s link: RX dropped (lower device)"}},
	{Name: "IPVLAN_MULTICAST_BACKLOG", Layer: LayerDriver, Class: ClassLoss,
		Meaning:  "Too many multicasts wait for the ipvlan devices of this port; the queue's length is fixed.",
		Counters: []string{"ip -s link: RX dropped"}},

	// BPF programs. A generic XDP_DROP is NOT_SPECIFIED: XDP is given for
	// failed redirects only (do_xdp_generic, net/core/dev.c, 6.1 to 7.3).
	{Name: "XDP", Layer: LayerBPF, Class: ClassLoss,
		Meaning: "A generic-mode XDP program redirected the packet and the redirect failed."},
	{Name: "BPF_CGROUP_EGRESS", Layer: LayerBPF, Class: ClassPolicy,
		Meaning:  "A BPF program on the sender's cgroup refused to let the packet out.",
		Counters: []string{"IpOutDiscards", "Ip6OutDiscards"}},
	{Name: "SOCKET_FILTER", Layer: LayerBPF, Class: ClassPolicy,
		Meaning:  "A filter on the receiving socket, or a BPF program on its cgroup, refused the packet.",
		Counters: []string{"UdpInErrors", "Udp6InErrors", "ss -m: d"}},
	{Name: "TAP_FILTER", Layer: LayerBPF, Class: ClassPolicy,
		Meaning:  "The BPF filter attached to the tun or tap device refused the packet.",
		Counters: []string{"ip -s link: TX dropped"}},

	// CAN
	{Name: "CAN_RX_INVALID_FRAME", Layer: LayerCAN, Class: ClassPeerError,
		Meaning: "Not a valid CAN frame, or it came from a device that is no CAN device."},
	{Name: "CANFD_RX_INVALID_FRAME", Layer: LayerCAN, Class: ClassPeerError,
		Meaning: "Not a valid CAN FD frame, or it came from a device that cannot do CAN FD."},
	{Name: "CANXL_RX_INVALID_FRAME", Layer: LayerCAN, Class: ClassPeerError,
		Meaning: "Not a valid CAN XL frame, or it came from a device that cannot do CAN XL."},
}
