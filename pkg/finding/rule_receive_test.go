// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

func TestQuiet(t *testing.T) {
	run(t, []rule{{"nothing moves", func(*Input) {}, nil}})
}

func TestRings(t *testing.T) {
	const bigger = "ethtool -G eth0 rx 4096 | ethtool -G eth0 rx 512"
	run(t, []rule{
		{"lost long ago, a small share", func(in *Input) { in.device("rx_missed_errors", 99_000, 99_000) }, nil},
		{"lost long ago, too few", func(in *Input) { in.link().RxPackets = 10; in.device("rx_missed_errors", 999, 999) }, nil},
		{"lost long ago, a large share", func(in *Input) { in.device("rx_missed_errors", 101_000, 101_000) },
			[]string{"info rx-ring eth0: " + bigger}},
		{"lost long ago, the ring is as large as can be", func(in *Input) { in.link().Device.Ring.Rx = 4096; in.device("rx_missed_errors", 101_000, 101_000) }, nil},
		{"one now", func(in *Input) { in.device("rx_missed_errors", 5, 6) }, []string{"info rx-ring eth0: " + bigger}},
		{"one a second", func(in *Input) { in.device("rx_missed_errors", 5, 15) }, []string{"warning rx-ring eth0: " + bigger}},
		{"a hundred a second", func(in *Input) { in.device("rx_missed_errors", 5, 1005) }, []string{"critical rx-ring eth0: " + bigger}},
		{"counted in the FIFO", func(in *Input) { in.device("rx_fifo_errors", 5, 15) }, []string{"warning rx-ring eth0: " + bigger}},
		{"counted by vmxnet3 alone", func(in *Input) {
			in.count(event.Counter{Source: event.CounterDriver, Name: "pkts rx OOB", Netns: host0, Device: "eth0"}, 5, 15)
		}, []string{"warning rx-ring eth0: " + bigger}},
		{"a full ring of two queues on eight CPUs", func(in *Input) {
			in.State.CPUs = []int{0, 1, 2, 3, 4, 5, 6, 7}
			in.link().Device.Ring.Rx = 4096
			in.device("rx_missed_errors", 5, 15)
		}, []string{"warning rx-ring eth0: ethtool -L eth0 combined 8 | ethtool -L eth0 combined 2"}},
		{"a ring nothing is known of", func(in *Input) { in.link().Device = node.Device{}; in.device("rx_missed_errors", 5, 15) },
			[]string{"warning rx-ring eth0:  | "}},
		{"a VF below a netvsc device that counts the same", func(in *Input) {
			vf := *in.link()
			vf.Name, vf.Master, vf.Device.Driver = "enP1s1", "eth0", "mlx5_core"
			in.State.Namespaces[0].Links = append(in.State.Namespaces[0].Links, vf)
			in.device("rx_missed_errors", 5, 15)
			in.count(event.Counter{Source: event.CounterDriver, Name: "rx_out_of_buffer", Netns: host0, Device: "enP1s1"}, 5, 15)
		}, []string{"warning rx-ring enP1s1: ethtool -G enP1s1 rx 4096 | ethtool -G enP1s1 rx 512"}},
		{"the bond above counts the same", func(in *Input) {
			in.link().Master = "bond0"
			in.State.Namespaces[0].Links = append(in.State.Namespaces[0].Links, node.Link{Name: "bond0", Index: 9, Kind: "bond", Up: true})
			in.device("rx_missed_errors", 5, 15)
			in.count(event.Counter{Source: event.CounterLink, Name: "rx_missed_errors", Netns: host0, Device: "bond0"}, 5, 15)
		}, []string{"warning rx-ring eth0: " + bigger}},
		{"a hostile name", func(in *Input) {
			in.link().Name = "a;reboot"
			in.count(event.Counter{Source: event.CounterLink, Name: "rx_missed_errors", Netns: host0, Device: "a;reboot"}, 5, 15)
		},
			[]string{"warning rx-ring a;reboot: ethtool -G 'a;reboot' rx 4096 | ethtool -G 'a;reboot' rx 512"}},
	})
}

func TestBacklogs(t *testing.T) {
	const longer = "warning backlog: sysctl -w net.core.netdev_max_backlog=2048 | sysctl -w net.core.netdev_max_backlog=1000"
	run(t, []rule{
		{"one a second on 10 Gb/s", func(in *Input) { in.softnet("dropped", 10) }, []string{longer}},
		{"the veth it happened at is no finding of its own", func(in *Input) {
			in.softnet("dropped", 10)
			in.count(event.Counter{Source: event.CounterLink, Name: "rx_dropped", Netns: host0, Device: "veth0"}, 0, 10)
		}, []string{longer}},
		{"no speed known", func(in *Input) { in.link().Speed = 0; in.softnet("dropped", 10) },
			[]string{"warning backlog: sysctl -w net.core.netdev_max_backlog=4096 | sysctl -w net.core.netdev_max_backlog=1000"}},
		{"long enough for 10 Gb/s, and yet full", func(in *Input) { in.State.Sysctls[backlogName] = "8192"; in.softnet("dropped", 10) },
			[]string{"warning backlog: sysctl -w net.core.netdev_max_backlog=16384 | sysctl -w net.core.netdev_max_backlog=8192; # 8192 may be an earlier change: the kernel's default is 1000"}},
		{"as long as makes sense", func(in *Input) { in.State.Sysctls[backlogName] = "131072"; in.softnet("dropped", 10) },
			[]string{"warning backlog:  | "}},
		{"a setting that could not be read", func(in *Input) { delete(in.State.Sysctls, backlogName); in.softnet("dropped", 10) },
			[]string{"warning backlog:  | "}},
		{"lost long ago", func(in *Input) {
			in.count(event.Counter{Source: event.CounterSoftnet, Name: "dropped", Part: "cpu 1"}, 200_000, 200_000)
		},
			[]string{"info backlog: sysctl -w net.core.netdev_max_backlog=2048 | sysctl -w net.core.netdev_max_backlog=1000"}},
		{"lost long ago, and raised since", func(in *Input) {
			in.State.Sysctls[backlogName] = "4096"
			in.count(event.Counter{Source: event.CounterSoftnet, Name: "dropped", Part: "cpu 1"}, 200_000, 200_000)
		}, []string{"info backlog:  | "}},
	})
}

func TestBudgets(t *testing.T) {
	const more = ": sysctl -w net.core.netdev_budget=600; sysctl -w net.core.netdev_budget_usecs=16000 | sysctl -w net.core.netdev_budget=300; sysctl -w net.core.netdev_budget_usecs=8000"
	run(t, []rule{
		{"below", func(in *Input) { in.softnet("time_squeeze", 99) }, nil},
		{"above", func(in *Input) { in.softnet("time_squeeze", 100) }, []string{"info budget" + more}},
		{"while rings overflow", func(in *Input) { in.softnet("time_squeeze", 100); in.device("rx_missed_errors", 0, 1) },
			[]string{"warning budget" + more, "info rx-ring eth0: ethtool -G eth0 rx 4096 | ethtool -G eth0 rx 512"}},
	})
}

func TestDropped(t *testing.T) {
	const look = "dropwatch record -d 10s; dropwatch report --by reason,location,device,netns | "
	run(t, []rule{
		{"now and then", func(in *Input) { in.device("rx_dropped", 0, 99) }, nil},
		{"ten a second", func(in *Input) { in.device("rx_dropped", 0, 100) }, []string{"warning device-dropped eth0: " + look}},
		{"many", func(in *Input) { in.device("tx_dropped", 0, 10_000) }, []string{"warning device-dropped eth0: " + look}},
		{"new since", func(in *Input) {
			c := event.Counter{Source: event.CounterLink, Name: "rx_dropped", Netns: host0, Device: "eth9"}
			in.Counters = append(in.Counters, between(nil, []event.Reading{{Counter: c, Value: 10_000}})...)
		}, []string{"warning device-dropped eth9: " + look}},
		{"gone since", func(in *Input) {
			in.device("rx_dropped", 0, 10_000)
			in.Counters[len(in.Counters)-1].Gone = true
		}, nil},
		{"went back", func(in *Input) { in.device("rx_dropped", 10_000, 0) }, nil},
		{"traced as benign", func(in *Input) {
			in.device("rx_dropped", 0, 10_000)
			in.traced(host0, event.Device{Index: 2}, "UNHANDLED_PROTO", "__netif_receive_skb_core", 9_950)
		}, nil},
		{"traced as benign at another device", func(in *Input) {
			in.device("rx_dropped", 0, 10_000)
			in.traced(pod0, event.Device{Index: 2, Name: "eth0"}, "UNHANDLED_PROTO", "__netif_receive_skb_core", 10_000)
		}, []string{"warning device-dropped eth0: " + look}},
		{"benign frames that rx_nohandler counts", func(in *Input) {
			in.device("rx_dropped", 0, 10_000)
			in.device("rx_nohandler", 0, 10_000)
			in.traced(host0, event.Device{Name: "eth0"}, "UNHANDLED_PROTO", "__netif_receive_skb_core", 10_000)
		}, []string{"warning device-dropped eth0: " + look}},
		{"both ends of a pair count one packet", func(in *Input) {
			in.count(event.Counter{Source: event.CounterLink, Name: "tx_dropped", Netns: host0, Device: "veth0"}, 0, 600)
			in.count(event.Counter{Source: event.CounterLink, Name: "rx_dropped", Netns: pod0, Device: "eth0"}, 0, 600)
		}, []string{"warning device-dropped eth0: " + look}},
		{"both ends of a pair, read one after the other", func(in *Input) {
			in.State.Namespaces[1].Links[0].MTU = 1000
			in.count(event.Counter{Source: event.CounterLink, Name: "tx_dropped", Netns: host0, Device: "veth0"}, 0, 20_000)
			in.count(event.Counter{Source: event.CounterLink, Name: "rx_dropped", Netns: pod0, Device: "eth0"}, 0, 19_000)
		}, []string{"warning mtu-peer veth0: ip link set dev veth0 mtu 1000 | ip link set dev veth0 mtu 1500"}},
		{"more than the other end of a pair", func(in *Input) {
			in.State.Namespaces[1].Links[0].MTU = 1000
			in.count(event.Counter{Source: event.CounterLink, Name: "tx_dropped", Netns: host0, Device: "veth0"}, 0, 20_000)
			in.count(event.Counter{Source: event.CounterLink, Name: "rx_dropped", Netns: pod0, Device: "eth0"}, 0, 18_000)
		}, []string{
			"warning mtu-peer veth0: ip link set dev veth0 mtu 1000 | ip link set dev veth0 mtu 1500",
			"warning device-dropped veth0: " + look,
		}},
		{"a pair, in a full backlog that was traced", func(in *Input) {
			in.softnet("dropped", 600)
			in.count(event.Counter{Source: event.CounterLink, Name: "tx_dropped", Netns: host0, Device: "veth0"}, 0, 600)
			in.count(event.Counter{Source: event.CounterLink, Name: "rx_dropped", Netns: pod0, Device: "eth0"}, 0, 600)
			in.traced(pod0, event.Device{Index: 2, Name: "eth0"}, "CPU_BACKLOG", "enqueue_to_backlog", 600)
		}, []string{"warning backlog: sysctl -w net.core.netdev_max_backlog=2048 | sysctl -w net.core.netdev_max_backlog=1000"}},
		{"more than a full backlog explains, as traced", func(in *Input) {
			in.softnet("dropped", 600)
			in.device("rx_dropped", 0, 600)
			in.traced(pod0, event.Device{Index: 2, Name: "eth0"}, "CPU_BACKLOG", "enqueue_to_backlog", 600)
		}, []string{
			"warning backlog: sysctl -w net.core.netdev_max_backlog=2048 | sysctl -w net.core.netdev_max_backlog=1000",
			"warning device-dropped eth0: " + look,
		}},
		{"what a pair of different MTUs drops", func(in *Input) {
			in.State.Namespaces[1].Links[0].MTU = 1000
			in.count(event.Counter{Source: event.CounterLink, Name: "tx_dropped", Netns: host0, Device: "veth0"}, 0, 600)
			in.count(event.Counter{Source: event.CounterLink, Name: "rx_dropped", Netns: pod0, Device: "eth0"}, 0, 600)
		}, []string{"warning mtu-peer veth0: ip link set dev veth0 mtu 1000 | ip link set dev veth0 mtu 1500"}},
	})
}

// sends has a device drop what is sent to it.
func (in *Input) sends(ns event.Netns, device string, dropped uint64) {
	in.count(event.Counter{Source: event.CounterLink, Name: "tx_dropped", Netns: ns, Device: device}, 0, dropped)
}

func TestDowns(t *testing.T) {
	const pod = "nsenter --net=/run/netns/pod "
	own := func(in *Input, link node.Link) {
		in.State.Namespaces[0].Links = append(in.State.Namespaces[0].Links, link)
	}
	run(t, []rule{
		{"down, but nothing is sent", func(in *Input) { in.link().Enabled = false }, nil},
		{"down", func(in *Input) { in.link().Enabled, in.link().Carrier = false, false; in.sends(host0, "eth0", 40) },
			[]string{"warning link-down eth0: ip link set dev eth0 up | ip link set dev eth0 down"}},
		{"down, traced where reports of groups are benign", func(in *Input) {
			in.link().Enabled, in.link().Carrier = false, false
			in.sends(host0, "eth0", 40)
			in.traced(host0, event.Device{Index: 2}, "QDISC_DROP", "__dev_queue_xmit", 40)
			in.Traced[0].Cell.Reason.Vague = true // packets to one host
		}, []string{"warning link-down eth0: ip link set dev eth0 up | ip link set dev eth0 down"}},
		{"no carrier", func(in *Input) { in.link().Carrier = false; in.sends(host0, "eth0", 1000) },
			[]string{"critical link-down eth0: ethtool eth0 | "}},
		{"the loopback of a pod", func(in *Input) {
			in.State.Namespaces[1].Links = append(in.State.Namespaces[1].Links, node.Link{Name: "lo", Index: 1, Kind: "loopback"})
			in.sends(pod0, "lo", 40)
		}, []string{"warning link-down lo: " + pod + "ip link set dev lo up | " + pod + "ip link set dev lo down"}},
		{"the peer is down", func(in *Input) {
			in.State.Namespaces[0].Links[1].Carrier = false
			in.State.Namespaces[1].Links[0].Enabled, in.State.Namespaces[1].Links[0].Carrier = false, false
			in.sends(host0, "veth0", 40)
		}, []string{"warning link-down veth0: " + pod + "ip link set dev eth0 up | " + pod + "ip link set dev eth0 down"}},
		{"the peer went down and packets reached it first", func(in *Input) {
			in.State.Namespaces[0].Links[1].Carrier = false
			in.State.Namespaces[1].Links[0].Enabled, in.State.Namespaces[1].Links[0].Carrier = false, false
			in.sends(host0, "veth0", 400)
			in.count(event.Counter{Source: event.CounterLink, Name: "rx_dropped", Netns: pod0, Device: "eth0"}, 0, 300)
		}, []string{"warning link-down veth0: " + pod + "ip link set dev eth0 up | " + pod + "ip link set dev eth0 down"}},
		{"a tunnel that nobody opened", func(in *Input) {
			own(in, node.Link{Name: "tun0", Index: 7, Kind: "tuntap", Enabled: true})
			in.sends(host0, "tun0", 40)
		}, []string{"warning link-down tun0: # start the program that opens tun0 (a VPN, a virtual machine), or remove what leads there:; ip route show dev tun0 | "}},
		{"a VLAN on a device that is down", func(in *Input) {
			in.link().Enabled, in.link().Carrier = false, false
			own(in, node.Link{Name: "eth0.7", Index: 7, Kind: "vlan", Lower: "eth0", Enabled: true})
			in.sends(host0, "eth0.7", 40)
		}, []string{"warning link-down eth0.7: ip link set dev eth0 up | ip link set dev eth0 down"}},
		{"a bridge whose port is down", func(in *Input) {
			own(in, node.Link{Name: "br0", Index: 7, Kind: "bridge", Enabled: true})
			in.link().Master, in.link().Enabled, in.link().Carrier = "br0", false, false
			in.sends(host0, "br0", 40)
		}, []string{"warning link-down br0: ip link set dev eth0 up | ip link set dev eth0 down"}},
		{"devices that stand on each other", func(in *Input) {
			own(in, node.Link{Name: "a", Index: 7, Kind: "vlan", Lower: "b", Enabled: true})
			own(in, node.Link{Name: "b", Index: 8, Kind: "vlan", Lower: "a", Enabled: true})
			in.sends(host0, "a", 40)
		}, []string{"warning link-down a: ethtool a | "}},
	})
}
