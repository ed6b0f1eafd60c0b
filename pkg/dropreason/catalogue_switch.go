// SPDX-License-Identifier: Apache-2.0

package dropreason

// switchReasons are given by the bridge, Open vSwitch and tunnels.
var switchReasons = []Info{
	// bridge; MAC_INVALID_SOURCE and NO_TX_TARGET also by VXLAN
	{Name: "MAC_INVALID_SOURCE", Layer: LayerBridge, Class: ClassPeerError,
		Meaning: "The frame's source MAC is multicast or zero, which no sender may use."},
	{Name: "NO_TX_TARGET", Layer: LayerBridge, Class: ClassBenign,
		Meaning:  "No port or VXLAN remote is left to forward the frame to; usual for unknown addresses on small bridges.",
		Counters: []string{"ip -s link: TX dropped (vxlan)"}},
	{Name: "MAC_IEEE_MAC_CONTROL", Layer: LayerBridge, Class: ClassBenign,
		Meaning: "A pause frame, which a bridge must not pass on."},
	{Name: "BRIDGE_INGRESS_STP_STATE", Layer: LayerBridge, Class: ClassPolicy,
		Meaning: "Spanning tree keeps the bridge port blocked or learning, or it is disabled."},

	// Open vSwitch, net/openvswitch/drop.h, 6.6
	{Name: "OVS_DROP_LAST_ACTION", Layer: LayerBridge, Class: ClassPolicy,
		Meaning: "The Open vSwitch flow has no action that sends the packet anywhere, the usual form of a drop rule."},
	{Name: "OVS_DROP_EXPLICIT", Layer: LayerBridge, Class: ClassPolicy,
		Meaning: "The Open vSwitch flow ends in an explicit drop action."},
	{Name: "OVS_DROP_EXPLICIT_WITH_ERROR", Layer: LayerBridge, Class: ClassLoss,
		Meaning: "Open vSwitch found an error in its rules for this packet and installed a drop."},
	{Name: "OVS_DROP_ACTION_ERROR", Layer: LayerBridge, Class: ClassLoss,
		Meaning: "An Open vSwitch action failed on the packet."},
	{Name: "OVS_DROP_METER", Layer: LayerBridge, Class: ClassPolicy,
		Meaning: "An Open vSwitch meter's rate limit is used up."},
	{Name: "OVS_DROP_RECURSION_LIMIT", Layer: LayerBridge, Class: ClassLoss,
		Meaning: "Open vSwitch rules send the packet round too many times, most likely a loop."},
	{Name: "OVS_DROP_DEFERRED_LIMIT", Layer: LayerBridge, Class: ClassLoss,
		Meaning: "Open vSwitch has postponed too many actions on this CPU."},
	{Name: "OVS_DROP_FRAG_L2_TOO_LONG", Layer: LayerBridge, Class: ClassLoss,
		Meaning: "Open vSwitch must fragment the packet, but its link-layer header is too long to do so."},
	{Name: "OVS_DROP_FRAG_INVALID_PROTO", Layer: LayerBridge, Class: ClassPeerError,
		Meaning: "The packet exceeds the port's MTU and is not IP, so Open vSwitch cannot fragment it."},
	{Name: "OVS_DROP_CONNTRACK", Layer: LayerBridge, Class: ClassLoss,
		Meaning:  "Open vSwitch's connection tracking action failed, for example because the table is full.",
		Counters: []string{"conntrack -S: drop", "conntrack -S: insert_failed"},
		Sysctls:  []string{"net.netfilter.nf_conntrack_max"}},
	{Name: "OVS_DROP_IP_TTL", Layer: LayerBridge, Class: ClassPeerError,
		Meaning: "The TTL ran out at an Open vSwitch router."},

	// tunnels
	{Name: "VXLAN_INVALID_HDR", Layer: LayerTunnel, Class: ClassPeerError,
		Meaning: "The VXLAN header is invalid: no VNI, or bits set which this tunnel does not know."},
	{Name: "VXLAN_VNI_NOT_FOUND", Layer: LayerTunnel, Class: ClassPeerError,
		Meaning: "No VXLAN device here has the packet's VNI: the two ends of the overlay disagree."},
	{Name: "VXLAN_ENTRY_EXISTS", Layer: LayerTunnel, Class: ClassPolicy,
		Meaning: "A known MAC came from another remote, but its forwarding entry is static and was kept."},
	{Name: "LOCAL_MAC", Layer: LayerTunnel, Class: ClassBenign,
		Meaning: "A packet this VXLAN device sent itself came back, as multicast echoes do."},
	{Name: "IP_TUNNEL_ECN", Layer: LayerTunnel, Class: ClassPeerError,
		Meaning:  "The outer header says congestion but the inner one cannot carry the mark, so the packet must go (RFC 6040).",
		Counters: []string{"ip -s link: RX errors"}},
	{Name: "TUNNEL_TXINFO", Layer: LayerTunnel, Class: ClassLoss,
		Meaning: "A packet reached an external (flow-based) tunnel device without being told where to go."},
}
