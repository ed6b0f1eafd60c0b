// SPDX-License-Identifier: Apache-2.0

package dropreason

// queueReasons are given by qdiscs, tc and netfilter.
var queueReasons = []Info{
	// qdiscs. Up to 6.12, and again in skb:kfree_skb of 7.2, every qdisc says
	// QDISC_DROP.
	{Name: "QDISC_DROP", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "The sending device's queue refused or discarded the packet: full, shaped, or managed by an AQM.",
		Check:   "tc -s qdisc show dev DEV: dropped, backlog, limit and rate of each queue; ethtool DEV: Speed",
		Change: "If bursts overflow it: tc qdisc change dev DEV ... limit N, or ip link set dev DEV txqueuelen N " +
			"for pfifo_fast. If shaped: a higher rate, or senders that slow down.",
		Counters: []string{"tc -s qdisc: dropped", "IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors",
			"Udp6SndbufErrors"}},
	{Name: "QDISC_OVERLIMIT", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "The sending device's queue is at its limit.",
		Check:   "tc -s qdisc show dev DEV: dropped, backlog, limit and rate of each queue",
		Change: "tc qdisc change dev DEV ... limit N for bursts; if the queue is always full, the link or the " +
			"shaper's rate is too slow for what is sent.",
		Counters: []string{"tc -s qdisc: dropped", "IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors",
			"Udp6SndbufErrors"}},
	{Name: "QDISC_CONGESTED", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "The queue's AQM (CoDel, PIE, RED) dropped the packet to slow its sender down: the link is congested.",
		Check:   "tc -s qdisc show dev DEV: dropped, ecn_mark, target or min and max",
		Change: "Usually right: the queue is kept short. Turn ECN on (ecn in the qdisc, net.ipv4.tcp_ecn=1 on " +
			"hosts) to mark instead; else more bandwidth.",
		Counters: []string{"tc -s qdisc: dropped"},
		Sysctls:  []string{"net.ipv4.tcp_ecn"}},
	{Name: "QDISC_BURST_DROP", Layer: LayerQdisc, Class: ClassLoss,
		Meaning:  "Too many CPUs send at once: more packets wait to enter the queue than net.core.qdisc_max_burst allows.",
		Check:    "tc -s qdisc show dev DEV: one root queue for all CPUs?; ls /sys/class/net/DEV/queues: tx queues",
		Change:   "sysctl -w net.core.qdisc_max_burst=N; better mq with a queue for each CPU (ethtool -L) than one root qdisc.",
		Counters: []string{"IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors", "Udp6SndbufErrors"},
		Sysctls:  []string{"net.core.qdisc_max_burst"}},
	{Name: "QDISC_DROP_MAXFLOWS", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "SFQ has no slot left for one more flow.",
		Check:   "tc -s -d qdisc show dev DEV: flows",
		Change:  "tc qdisc change dev DEV ... sfq flows N, or use fq_codel.",
		Counters: []string{"tc -s qdisc: dropped", "IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors",
			"Udp6SndbufErrors"}},
	{Name: "CAKE_FLOOD", Layer: LayerQdisc, Class: ClassLoss,
		Meaning:  "CAKE dropped from a flow that does not slow down however much it is signalled.",
		Check:    "tc -s qdisc show dev DEV: un_flows, drops of each tin; dropwatch report --by flow: the flow",
		Change:   "Slow that sender down, or give it another host or tin; raising cake's bandwidth only helps if the link has it.",
		Counters: []string{"tc -s qdisc: dropped"}},
	{Name: "FQ_BAND_LIMIT", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "FQ holds as many packets of this priority as its limit allows.",
		Check:   "tc -s -d qdisc show dev DEV: backlog, limit, priomap",
		Change:  "tc qdisc change dev DEV ... fq limit N; or give less traffic this priority.",
		Counters: []string{"tc -s qdisc: dropped", "IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors",
			"Udp6SndbufErrors"}},
	{Name: "FQ_HORIZON_LIMIT", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "The packet asked to be sent beyond FQ's horizon (10 s by default): paced too slowly, or a wrong timestamp.",
		Check: "tc -s -d qdisc show dev DEV: horizon, horizon_drops; ss -ti: pacing_rate; the clock of programs " +
			"that set SO_TXTIME",
		Change: "tc qdisc change dev DEV ... fq horizon_cap sends them early instead; or a larger horizon; or " +
			"repair the timestamps.",
		Counters: []string{"tc -s qdisc: dropped", "tc -s qdisc: horizon_drops", "IpOutDiscards",
			"Ip6OutDiscards", "UdpSndbufErrors", "Udp6SndbufErrors"}},
	{Name: "FQ_FLOW_LIMIT", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "One flow has filled its own share of the queue (FQ flow_limit, SFQ depth): it sends faster than it drains.",
		Check:   "tc -s -d qdisc show dev DEV: flow_limit, flows_plimit; dropwatch report --by flow: the flow",
		Change: "tc qdisc change dev DEV ... fq flow_limit N (sfq: depth N); or a smaller send buffer or pacing in " +
			"the application.",
		Counters: []string{"tc -s qdisc: dropped", "tc -s qdisc: flows_plimit (fq)", "IpOutDiscards",
			"Ip6OutDiscards", "UdpSndbufErrors", "Udp6SndbufErrors"}},
	{Name: "DUALPI2_STEP_DROP", Layer: LayerQdisc, Class: ClassLoss,
		Meaning: "DualPI2's low-latency queue was too slow and the packet could not be marked instead of dropped.",
		Check: "tc -s -d qdisc show dev DEV: step_thresh; tc filter show dev DEV: what puts flows without ECN " +
			"into the low-latency queue",
		Change:   "Let only ECN-capable (ECT(1)) traffic into that queue, or raise step_thresh.",
		Counters: []string{"tc -s qdisc: dropped"}},

	// tc
	{Name: "TC_INGRESS", Layer: LayerTC, Class: ClassPolicy,
		Meaning: "A tc program or rule on the device's ingress said drop.",
		Check:   "tc -s filter show dev DEV ingress: drop, shot, police; bpftool net show dev DEV: tc and tcx programs",
		Change: "Change or delete the rule (tc filter del), or the policy of whoever attached the program (a " +
			"container network, a firewall).",
		Counters: []string{"tc -s qdisc: dropped (clsact or ingress)"}},
	{Name: "TC_EGRESS", Layer: LayerTC, Class: ClassPolicy,
		Meaning: "A tc program or rule on the device's egress said drop.",
		Check:   "tc -s filter show dev DEV egress: drop, shot, police; bpftool net show dev DEV: tc and tcx programs",
		Change: "Change or delete the rule (tc filter del), or the policy of whoever attached the program (a " +
			"container network, a firewall).",
		Counters: []string{"tc -s qdisc: dropped (clsact)", "IpOutDiscards", "Ip6OutDiscards",
			"UdpSndbufErrors", "Udp6SndbufErrors"}},
	{Name: "TC_CHAIN_NOTFOUND", Layer: LayerTC, Class: ClassPolicy,
		Meaning: "A tc rule, or the hardware, continues in a tc chain that does not exist.",
		Check: "tc chain show dev DEV ingress; tc filter show dev DEV ingress: in_hw, goto chain N; tc monitor: " +
			"rules that come and go",
		Change:   "Harmless while rules change; else add a rule in that chain, or ethtool -K DEV hw-tc-offload off.",
		Counters: []string{"tc -s qdisc: dropped (clsact or ingress)"}},
	{Name: "TC_RECLASSIFY_LOOP", Layer: LayerTC, Class: ClassPolicy,
		Meaning:  "The tc rules sent the packet round in circles until the kernel stopped.",
		Check:    "tc filter show dev DEV ingress: reclassify and goto chain, and where they lead",
		Change:   "Change the rules so that none leads back to itself.",
		Counters: []string{"tc -s qdisc: dropped (clsact or ingress)"}},
	{Name: "TC_COOKIE_ERROR", Layer: LayerTC, Class: ClassLoss,
		Meaning:  "Hardware began to classify the packet, but the tc rule to go on with had changed meanwhile.",
		Check:    "tc monitor: rules that come and go; tc filter show dev DEV ingress: in_hw",
		Change:   "Harmless while rules change; if it goes on, update driver and firmware or ethtool -K DEV hw-tc-offload off.",
		Counters: []string{"tc -s qdisc: dropped (clsact or ingress)"}},

	// 6.7 only; 6.8 split it into the three above.
	{Name: "TC_ERROR", Layer: LayerTC, Class: ClassLoss,
		Meaning: "Classification by tc failed inside the kernel: missing chain, endless loop, or a rule that had changed.",
		Check: "tc chain show dev DEV ingress; tc filter show dev DEV ingress: goto chain, reclassify, in_hw; tc " +
			"monitor: rules that come and go",
		Change:   "Harmless while rules change; else add the missing chain or break the loop.",
		Counters: []string{"tc -s qdisc: dropped (clsact or ingress)"}},

	// netfilter
	{Name: "NETFILTER_DROP", Layer: LayerNetfilter, Class: ClassPolicy,
		Meaning: "A firewall rule, chain policy or packet queue of nftables or iptables said drop.",
		Check: "nft list ruleset, iptables-save -c: rules that drop, and their counts; conntrack -S: " +
			"insert_failed, drop; conntrack -C against nf_conntrack_max; nft monitor trace",
		Change: "Change the rule or the chain's policy if it should let these through; if the table is full, " +
			"sysctl -w net.netfilter.nf_conntrack_max=N.",
		Counters: []string{"iptables -L -v: pkts (rule or policy)",
			"nft list ruleset: packets (rule with a counter)", "conntrack -S: drop",
			"conntrack -S: insert_failed", "IpOutDiscards", "Ip6OutDiscards"},
		Sysctls: []string{"net.netfilter.nf_conntrack_max"}},
}
