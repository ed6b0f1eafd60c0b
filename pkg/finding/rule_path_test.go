// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

func TestQdiscs(t *testing.T) {
	drops := func(part string, moved uint64, all ...node.Qdisc) func(*Input) {
		return func(in *Input) {
			in.link().Qdiscs = all
			in.count(event.Counter{Source: event.CounterQdisc, Name: "dropped", Netns: host0, Device: "eth0", Part: part}, 3, 3+moved)
		}
	}
	tbf := node.Qdisc{Kind: "tbf", Handle: "1:", Parent: "root", Limit: 3000, Unit: "bytes", Options: "rate 1000000bit burst 10000"}
	fifo := node.Qdisc{Kind: "pfifo_fast", Handle: "0:", Parent: "root"}
	fq := node.Qdisc{Kind: "fq", Handle: "0:", Parent: "root", Limit: 10000, Unit: "packets"}
	child := node.Qdisc{Kind: "fq", Handle: "0:", Parent: ":2", Limit: 10000, Unit: "packets"}
	mq := node.Qdisc{Kind: "mq", Handle: "0:", Parent: "root"}
	run(t, []rule{
		{"none now", drops("tbf 1:", 0, tbf), nil},
		{"a shaper", drops("tbf 1:", 10, tbf), []string{"warning qdisc-drops eth0: tc qdisc replace dev eth0 root handle 1: tbf rate 1000000bit burst 10000 limit 65536 | tc qdisc replace dev eth0 root handle 1: tbf rate 1000000bit burst 10000 limit 3000"}},
		{"the default queue", drops("pfifo_fast 0:", 1000, fifo), []string{"critical qdisc-drops eth0: ip link set dev eth0 txqueuelen 4000 | ip link set dev eth0 txqueuelen 1000"}},
		{"one the kernel made", drops("fq 0:", 10, fq), []string{"warning qdisc-drops eth0: tc qdisc replace dev eth0 root fq limit 40000 | tc qdisc del dev eth0 root"}},
		{"one below an mq the kernel made", drops("fq 0: parent :2", 10, mq, child), []string{"warning qdisc-drops eth0: tc qdisc replace dev eth0 root handle 1: mq; tc qdisc replace dev eth0 parent 1:2 fq limit 40000 | tc qdisc del dev eth0 root"}},
		{"one that slows senders down", drops("fq_codel 8001:", 1000), []string{"info qdisc-drops eth0:  | "}},
		{"one whose limit is not known", drops("htb 1:", 10), []string{"warning qdisc-drops eth0: tc -s -d qdisc show dev eth0 | "}},
	})
}

func TestReversePaths(t *testing.T) {
	run(t, []rule{
		{"none now", moves(host0, "TcpExtIPReversePathFilter", 0), nil},
		{"strict everywhere", func(in *Input) {
			in.State.Namespaces[0].Sysctls[allFilter] = "1"
			in.protocol(host0, "TcpExtIPReversePathFilter", 10)
		}, []string{"warning rp-filter: sysctl -w net.ipv4.conf.all.rp_filter=2; # if no device at all leads back to the sender (ip route get ADDRESS fails), add a route | sysctl -w net.ipv4.conf.all.rp_filter=1"}},
		{"strict on a VLAN in a pod", func(in *Input) {
			in.State.Namespaces[1].Links = append(in.State.Namespaces[1].Links, node.Link{Name: "eth0.7", Kind: "vlan", RPFilter: 1})
			in.protocol(pod0, "TcpExtIPReversePathFilter", 10)
		}, []string{"warning rp-filter: nsenter --net=/run/netns/pod sysctl -w net/ipv4/conf/eth0.7/rp_filter=2; # if no device at all leads back to the sender (ip route get ADDRESS fails), add a route | nsenter --net=/run/netns/pod sysctl -w net/ipv4/conf/eth0.7/rp_filter=1"}},
	})
}

func TestMTUs(t *testing.T) {
	const clamp = "nft add table inet dropwatch; nft 'add chain inet dropwatch forward { type filter hook forward priority mangle; }'; " +
		"nft add rule inet dropwatch forward tcp flags syn tcp option maxseg size set rt mtu | nft delete table inet dropwatch"
	vxlan := func(mtu int) func(*Input) {
		return func(in *Input) {
			in.State.Namespaces[0].Links = append(in.State.Namespaces[0].Links, node.Link{Name: "vx0", Kind: "vxlan", Lower: "eth0", MTU: mtu, Up: true, Enabled: true, Carrier: true})
		}
	}
	run(t, []rule{
		{"path MTU discovery", moves(host0, "IpFragFails", 9), nil},
		{"too big all the time", moves(host0, "IpFragFails", 10), []string{"warning mtu: " + clamp}},
		{"a pod's end is larger", func(in *Input) { in.State.Namespaces[1].Links[0].MTU = 9000 },
			[]string{"info mtu-peer veth0: nsenter --net=/run/netns/pod ip link set dev eth0 mtu 1500 | nsenter --net=/run/netns/pod ip link set dev eth0 mtu 9000"}},
		{"a node's end is larger and drops", func(in *Input) {
			in.State.Namespaces[0].Links[1].MTU = 9000
			in.count(event.Counter{Source: event.CounterLink, Name: "rx_dropped", Netns: pod0, Device: "eth0"}, 0, 1)
		}, []string{"warning mtu-peer veth0: ip link set dev veth0 mtu 1500 | ip link set dev veth0 mtu 9000"}},
		{"a tunnel that fits", vxlan(1450), nil},
		{"a tunnel that does not, and drops", func(in *Input) {
			vxlan(1451)(in)
			in.sends(host0, "vx0", 600)
			in.protocol(host0, "IpFragFails", 600)
		}, []string{"warning mtu-tunnel vx0: ip link set dev vx0 mtu 1450 | # none: the kernel lets vx0 have no MTU above 1450 while eth0 has 1500"}},
		{"a tunnel that does not", vxlan(1451), []string{"info mtu-tunnel vx0: ip link set dev vx0 mtu 1450 | # none: the kernel lets vx0 have no MTU above 1450 while eth0 has 1500"}},
	})
}

func TestChecksums(t *testing.T) {
	const off = ": ethtool -K eth0 rx off | ethtool -K eth0 rx on"
	run(t, []rule{
		{"none now", moves(host0, "UdpInCsumErrors", 0), nil},
		{"one", moves(host0, "UdpInCsumErrors", 1), []string{"info checksum" + off}},
		{"many", moves(host0, "TcpInCsumErrors", 1000), []string{"critical checksum" + off}},
		{"the device does not check", func(in *Input) { in.link().Device.RxChecks = false; in.protocol(host0, "UdpInCsumErrors", 10) },
			[]string{"warning checksum:  | "}},
		{"in a pod, which has no device", moves(pod0, "UdpInCsumErrors", 10), []string{"warning checksum:  | "}},
		{"damaged on the wire", func(in *Input) { in.device("rx_crc_errors", 0, 1) }, []string{"warning crc eth0: ethtool -m eth0 | "}},
		{"not damaged now", func(in *Input) { in.device("rx_crc_errors", 7, 7) }, nil},
	})
}

func TestFragmentMemories(t *testing.T) {
	const pod = "nsenter --net=/run/netns/pod sysctl -w "
	full := func(in *Input) {
		in.State.Namespaces[1].Sysctls = node.Sysctls{fragments4: "4000", fragments6: "4000"}
		in.State.Namespaces[1].Fragments = node.FragmentMemory{IPv4: 4100, IPv6: 4100}
	}
	run(t, []rule{
		{"none now", func(in *Input) { full(in); in.protocol(pod0, "IpReasmFails", 0) }, nil},
		{"full", func(in *Input) { full(in); in.protocol(pod0, "IpReasmFails", 38) },
			[]string{"warning fragment-memory: " + pod + "net.ipv4.ipfrag_high_thresh=4194304 | " + pod + "net.ipv4.ipfrag_high_thresh=4000; # 4000 may be an earlier change: the kernel's default is 4194304"}},
		{"full of IPv6", func(in *Input) { full(in); in.protocol(pod0, "Ip6ReasmFails", 38) },
			[]string{"warning fragment-memory: " + pod + "net.ipv6.ip6frag_high_thresh=4194304 | " + pod + "net.ipv6.ip6frag_high_thresh=4000; # 4000 may be an earlier change: the kernel's default is 4194304"}},
		{"it was full, as traced", func(in *Input) {
			in.protocol(host0, "IpReasmFails", 38)
			in.traced(host0, event.Device{Index: 2}, "NOT_SPECIFIED", "ip_defrag", 38)
		}, []string{"warning fragment-memory: sysctl -w net.ipv4.ipfrag_high_thresh=16777216 | sysctl -w net.ipv4.ipfrag_high_thresh=4194304"}},
		{"the rest never came", func(in *Input) {
			in.protocol(host0, "IpReasmFails", 38)
			in.protocol(host0, "IpReasmTimeout", 38)
		}, nil},
		{"they overlap", func(in *Input) {
			full(in)
			in.protocol(pod0, "IpReasmFails", 38)
			in.protocol(pod0, "IpReasmOverlaps", 38)
		}, nil},
		{"none was traced for want of memory", func(in *Input) { in.protocol(host0, "IpReasmFails", 38) }, nil},
	})
}
