// SPDX-License-Identifier: Apache-2.0

package dropreason

// neighbourReasons are given by ARP and IPv6 neighbour discovery.
var neighbourReasons = []Info{
	{Name: "NEIGH_CREATEFAIL", Layer: LayerNeighbour, Class: ClassLoss,
		Meaning: "No neighbour entry could be made for the next hop; the table may be full (gc_thresh3)."},
	{Name: "NEIGH_FAILED", Layer: LayerNeighbour, Class: ClassPeerError,
		Meaning: "The next hop does not answer ARP or neighbour discovery: host down, gone, or the wrong address."},
	{Name: "NEIGH_QUEUEFULL", Layer: LayerNeighbour, Class: ClassLoss,
		Meaning: "Too many bytes wait for the next hop's MAC to be resolved (unres_qlen_bytes)."},
	{Name: "NEIGH_DEAD", Layer: LayerNeighbour, Class: ClassLoss,
		Meaning: "The next hop's neighbour entry was being removed just then."},
	{Name: "NEIGH_HH_FILLFAIL", Layer: LayerNeighbour, Class: ClassLoss,
		Meaning: "The link-layer header for the next hop could not be built."},
	{Name: "ARP_PVLAN_DISABLE", Layer: LayerNeighbour, Class: ClassBenign,
		Meaning: "An ARP request for a host on the same interface, which is not ours to answer (proxy_arp_pvlan off)."},
	{Name: "IPV6_NDISC_FRAG", Layer: LayerNeighbour, Class: ClassPeerError,
		Meaning: "A fragmented neighbour discovery message, ignored for safety (suppress_frag_ndisc)."},
	{Name: "IPV6_NDISC_HOP_LIMIT", Layer: LayerNeighbour, Class: ClassPeerError,
		Meaning: "A neighbour discovery message whose hop limit is not 255: it did not come from this link."},
	{Name: "IPV6_NDISC_BAD_CODE", Layer: LayerNeighbour, Class: ClassPeerError,
		Meaning: "A neighbour discovery message with an ICMPv6 code other than zero."},
	{Name: "IPV6_NDISC_BAD_OPTIONS", Layer: LayerNeighbour, Class: ClassPeerError,
		Meaning: "A neighbour discovery message whose options are malformed."},
	{Name: "IPV6_NDISC_NS_OTHERHOST", Layer: LayerNeighbour, Class: ClassBenign,
		Meaning: "A neighbour solicitation for an address this host does not have."},
}
