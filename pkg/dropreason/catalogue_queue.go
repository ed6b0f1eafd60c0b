// SPDX-License-Identifier: Apache-2.0

package dropreason

// queueReasons are given by qdiscs, tc and netfilter.
var queueReasons = []Info{
	// qdiscs. Up to 6.12, and again in skb:kfree_skb of 7.2, every qdisc says
	// QDISC_DROP.
	{Name: "QDISC_DROP", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "The sending device's queue refused or discarded the packet: full, shaped, or managed by an AQM.",
		Counters: []string{"tc -s qdisc: dropped", "IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors",
			"Udp6SndbufErrors"}},
	{Name: "QDISC_OVERLIMIT", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "The sending device's queue is at its limit.",
		Counters: []string{"tc -s qdisc: dropped", "IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors",
			"Udp6SndbufErrors"}},
	{Name: "QDISC_CONGESTED", Layer: LayerQdisc, Class: ClassLoss,
		Meaning:  "The queue's AQM (CoDel, PIE, RED) dropped the packet to slow its sender down: the link is congested.",
		Counters: []string{"tc -s qdisc: dropped"}},
	{Name: "QDISC_BURST_DROP", Layer: LayerQdisc, Class: ClassLoss,
		Meaning:  "Too many CPUs send at once: more packets wait to enter the queue than net.core.qdisc_max_burst allows.",
		Counters: []string{"IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors", "Udp6SndbufErrors"},
		Sysctls:  []string{"net.core.qdisc_max_burst"}},
	{Name: "QDISC_DROP_MAXFLOWS", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "SFQ has no slot left for one more flow.",
		Counters: []string{"tc -s qdisc: dropped", "IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors",
			"Udp6SndbufErrors"}},
	{Name: "CAKE_FLOOD", Layer: LayerQdisc, Class: ClassLoss,
		Meaning:  "CAKE dropped from a flow that does not slow down however much it is signalled.",
		Counters: []string{"tc -s qdisc: dropped"}},
	{Name: "FQ_BAND_LIMIT", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "FQ holds as many packets of this priority as its limit allows.",
		Counters: []string{"tc -s qdisc: dropped", "IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors",
			"Udp6SndbufErrors"}},
	{Name: "FQ_HORIZON_LIMIT", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "The packet asked to be sent beyond FQ's horizon (10 s by default): paced too slowly, or a wrong timestamp.",
		Counters: []string{"tc -s qdisc: dropped", "tc -s qdisc: horizon_drops", "IpOutDiscards",
			"Ip6OutDiscards", "UdpSndbufErrors", "Udp6SndbufErrors"}},
	{Name: "FQ_FLOW_LIMIT", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "One flow has filled its own share of the queue (FQ flow_limit, SFQ depth): it sends faster than it drains.",
		Counters: []string{"tc -s qdisc: dropped", "tc -s qdisc: flows_plimit (fq)", "IpOutDiscards",
			"Ip6OutDiscards", "UdpSndbufErrors", "Udp6SndbufErrors"}},
	{Name: "DUALPI2_STEP_DROP", Layer: LayerQdisc, Class: ClassLoss,
		Meaning:  "DualPI2's low-latency queue was too slow and the packet could not be marked instead of dropped.",
		Counters: []string{"tc -s qdisc: dropped"}},

	// tc
	{Name: "TC_INGRESS", Layer: LayerTC, Class: ClassPolicy,
		Meaning:  "A tc program or rule on the device's ingress said drop.",
		Counters: []string{"tc -s qdisc: dropped (clsact or ingress)"}},
	{Name: "TC_EGRESS", Layer: LayerTC, Class: ClassPolicy,
		Meaning: "A tc program or rule on the device's egress said drop.",
		Counters: []string{"tc -s qdisc: dropped (clsact)", "IpOutDiscards", "Ip6OutDiscards",
			"UdpSndbufErrors", "Udp6SndbufErrors"}},
	{Name: "TC_CHAIN_NOTFOUND", Layer: LayerTC, Class: ClassPolicy,
		Meaning:  "A tc rule, or the hardware, continues in a tc chain that does not exist.",
		Counters: []string{"tc -s qdisc: dropped (clsact or ingress)"}},
	{Name: "TC_RECLASSIFY_LOOP", Layer: LayerTC, Class: ClassPolicy,
		Meaning:  "The tc rules sent the packet round in circles until the kernel stopped.",
		Counters: []string{"tc -s qdisc: dropped (clsact or ingress)"}},
	{Name: "TC_COOKIE_ERROR", Layer: LayerTC, Class: ClassLoss,
		Meaning:  "Hardware began to classify the packet, but the tc rule to go on with had changed meanwhile.",
		Counters: []string{"tc -s qdisc: dropped (clsact or ingress)"}},

	// 6.7 only; 6.8 split it into the three above.
	{Name: "TC_ERROR", Layer: LayerTC, Class: ClassLoss,
		Meaning:  "Classification by tc failed inside the kernel: missing chain, endless loop, or a rule that had changed.",
		Counters: []string{"tc -s qdisc: dropped (clsact or ingress)"}},

	// netfilter
	{Name: "NETFILTER_DROP", Layer: LayerNetfilter, Class: ClassPolicy,
		Meaning: "A firewall rule, chain policy or packet queue of nftables or iptables said drop.",
		Counters: []string{"iptables -L -v: pkts (rule or policy)",
			"nft list ruleset: packets (rule with a counter)", "conntrack -S: drop",
			"conntrack -S: insert_failed", "IpOutDiscards", "Ip6OutDiscards"},
		Sysctls: []string{"net.netfilter.nf_conntrack_max"}},
}
