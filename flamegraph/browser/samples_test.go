// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// The columns of drops.
const (
	byPackets = iota
	byBytes
	byRate // in millionths of a packet per second
)

// drops are stacks with something of everything: a frame within one of its own
// name, frames too narrow to draw alone, frames without bytes, frames with
// nothing but bytes, names that sort between others.
func drops() []flamegraph.Sample {
	var all []flamegraph.Sample
	add := func(packets, bytes, rate uint64, stack string) {
		all = append(all, flamegraph.Sample{Stack: strings.Split(stack, ";"), Value: packets, More: []uint64{bytes, rate}})
	}
	const gro = "[softirq];mlx5e_napi_poll;napi_gro_receive"
	add(1_520_450, 97_308_800, 2_534_083, gro+";enqueue_to_backlog;CPU_BACKLOG")
	add(610_200, 915_300_000, 9_017_000, gro+";ip_rcv;ip_local_deliver;tcp_v4_rcv;NO_SOCKET")
	add(90_000, 135_000_000, 150_000, gro+";ip_rcv;ip_local_deliver;tcp_v4_rcv;TCP_OVERWINDOW")
	add(151_220, 226_830_000, 252_033, gro+";ip_rcv;ip_local_deliver;udp_rcv;SOCKET_RCVBUFF")
	add(1_210, 72_600, 2_016, gro+";ip_rcv.part.0;IP_CSUM")
	add(12, 720, 20, gro+";ip_rcv;IP_CSUM")
	add(200_000, 300_000_000, 333_333, gro+";ip_rcv;br_forward;ip_rcv;NETFILTER_DROP")
	add(3_000, 180_000, 5_000, "[softirq];mlx5e_napi_poll")
	add(95_000, 0, 158_333, "[process: envoy];__sys_sendto;tcp_sendmsg;ip_output;QDISC_DROP")
	add(0, 64_000_000, 0, "[process: tun];tun_net_xmit;TAP_FILTER")
	for i := range 40 {
		add(1_000, 1_500_000, 1_666, fmt.Sprintf("%s;ip_rcv;nf_hook_slow;nft_rule_%02d;NETFILTER_DROP", gro, i))
	}
	return all
}

// A layer is a category, by how frames' names begin.
type layer struct {
	name   string
	color  flamegraph.Color
	frames *regexp.Regexp
}

var layers = []layer{
	{"driver", flamegraph.Blue, regexp.MustCompile(`^(mlx5|CPU_)`)},
	{"netfilter", flamegraph.Green, regexp.MustCompile(`^(nf|NETFILTER)`)},
	{"IP", flamegraph.Sky, regexp.MustCompile(`^(ip_|IP_)`)},
	{"TCP", flamegraph.Yellow, regexp.MustCompile(`^(tcp_|TCP_)`)},
	{"UDP", flamegraph.Purple, regexp.MustCompile(`^(udp_|SOCKET_)`)},
}

// layerOf returns a frame's category.
func layerOf(frame, _ string) string {
	for _, l := range layers {
		if l.frames.MatchString(frame) {
			return l.name
		}
	}
	return ""
}

// options are those of a typical caller for drops.
func options() flamegraph.Options {
	o := flamegraph.Options{
		Title:    "Packet drops on node7",
		Subtitle: "2026-11-20 10:00:00 on node7, 10m0s, Linux 6.12. 2,711,092 drops, none lost.",
		Notes:    []string{"Widths are estimated from samples; totals are exact."},
		Measures: []flamegraph.Measure{
			{Name: "packets", Unit: "packets"},
			{Name: "bytes", Unit: "bytes", Column: byBytes},
			{Name: "rate", Unit: "packets/s", Column: byRate, Scale: 1e-6},
		},
		CategoryOf: layerOf,
		Muted:      func(frame, _ string) bool { return frame == "NO_SOCKET" },
		Explain:    explain,
	}
	for _, l := range layers {
		o.Categories = append(o.Categories, flamegraph.Category{Name: l.name, Color: l.color})
	}
	return o
}

// explain tells about two reasons.
func explain(frame, _ string) []flamegraph.Fact {
	switch frame {
	case "CPU_BACKLOG":
		return []flamegraph.Fact{
			{Term: "Meaning", Text: "The queue of a CPU is full: packets come faster than it takes them."},
			{Term: "Dropped in"},
			{Term: "Settings", Text: "sysctl net.core.netdev_max_backlog"},
		}
	case "NO_SOCKET":
		return []flamegraph.Fact{{Term: "<b>Meaning</b>", Text: `<img src=x onerror="alert(1)"> & "nobody listens"`}}
	}
	return nil
}
