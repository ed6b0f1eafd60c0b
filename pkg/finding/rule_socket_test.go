// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
)

func TestReceiveBuffers(t *testing.T) {
	const buffers = ": sysctl -w net.core.rmem_max=851968; sysctl -w net.core.rmem_default=851968 | sysctl -w net.core.rmem_max=212992; sysctl -w net.core.rmem_default=212992"
	run(t, []rule{
		{"none now", moves(host0, "UdpRcvbufErrors", 0), nil},
		{"UDP", moves(host0, "UdpRcvbufErrors", 1000), []string{"critical udp-receive-buffer" + buffers}},
		{"UDP over IPv6 in a pod: the setting is the machine's", moves(pod0, "Udp6RcvbufErrors", 1), []string{"info udp-receive-buffer" + buffers}},
		{"as large as makes sense", func(in *Input) {
			in.State.Sysctls["net.core.rmem_max"], in.State.Sysctls["net.core.rmem_default"] = "67108864", "67108864"
			in.protocol(host0, "UdpRcvbufErrors", 10)
		}, []string{"warning udp-receive-buffer:  | "}},
		{"memory of UDP", moves(host0, "UdpMemErrors", 10),
			[]string{"warning udp-memory: sysctl -w 'net.ipv4.udp_mem=200 400 600' | sysctl -w 'net.ipv4.udp_mem=100 200 300'"}},
		{"UDP is below nine tenths of its memory", func(in *Input) { in.State.SocketPages.UDP = 269 }, nil},
		{"UDP is at nine tenths of its memory", func(in *Input) { in.State.SocketPages.UDP = 270 },
			[]string{"warning udp-memory: sysctl -w 'net.ipv4.udp_mem=200 400 600' | sysctl -w 'net.ipv4.udp_mem=100 200 300'"}},
		{"TCP is at nine tenths of its memory", func(in *Input) { in.State.SocketPages.TCP = 2700 },
			[]string{"warning tcp-memory: sysctl -w 'net.ipv4.tcp_mem=2000 4000 6000' | sysctl -w 'net.ipv4.tcp_mem=1000 2000 3000'"}},
		{"TCP", moves(host0, "TcpExtTCPRcvQDrop", 10),
			[]string{"warning tcp-receive-buffer: sysctl -w 'net.ipv4.tcp_rmem=4096 131072 12582912' | sysctl -w 'net.ipv4.tcp_rmem=4096 131072 6291456'"}},
		{"TCP in a pod", moves(pod0, "TcpExtTCPBacklogDrop", 10),
			[]string{"warning tcp-receive-buffer: nsenter --net=/run/netns/pod sysctl -w 'net.ipv4.tcp_rmem=4096 131072 12582912' | nsenter --net=/run/netns/pod sysctl -w 'net.ipv4.tcp_rmem=4096 131072 6291456'"}},
		{"TCP only collapses", moves(host0, "TcpExtPruneCalled", 1000), nil},
	})
}

func TestListens(t *testing.T) {
	const accept = ": sysctl -w net.core.somaxconn=4096 | sysctl -w net.core.somaxconn=128"
	const syn = ": sysctl -w net.core.somaxconn=4096; sysctl -w net.ipv4.tcp_max_syn_backlog=4096 | sysctl -w net.core.somaxconn=128; sysctl -w net.ipv4.tcp_max_syn_backlog=512"
	run(t, []rule{
		{"none now", moves(host0, "TcpExtListenDrops", 0), nil},
		{"full", func(in *Input) {
			in.protocol(host0, "TcpExtListenDrops", 10)
			in.protocol(host0, "TcpExtListenOverflows", 10)
		}, []string{"warning accept-queue" + accept}},
		{"dropped for something else", moves(host0, "TcpExtListenDrops", 10), []string{"warning accept-queue:  | "}},
		{"half-open ones", moves(host0, "TcpExtTCPReqQFullDrop", 10), []string{"warning syn-queue" + syn}},
		{"half-open ones, which count twice", func(in *Input) {
			in.protocol(host0, "TcpExtListenDrops", 10)
			in.protocol(host0, "TcpExtTCPReqQFullDrop", 10)
		}, []string{"warning syn-queue" + syn}},
		{"half-open ones, with cookies", moves(host0, "TcpExtTCPReqQFullDoCookies", 1000), []string{"info syn-queue" + syn}},
		{"without cookies", func(in *Input) {
			in.State.Namespaces[0].Sysctls[cookies] = "0"
			in.State.Namespaces[0].Sysctls[somaxconn], in.State.Namespaces[0].Sysctls[synBacklog] = "65535", "65535"
			in.protocol(host0, "TcpExtTCPReqQFullDrop", 10)
		}, []string{"warning syn-queue: sysctl -w net.ipv4.tcp_syncookies=1 | sysctl -w net.ipv4.tcp_syncookies=0"}},
	})
}

func TestConntracks(t *testing.T) {
	const more = ": sysctl -w net.netfilter.nf_conntrack_buckets=500; sysctl -w net.netfilter.nf_conntrack_max=2000 | sysctl -w net.netfilter.nf_conntrack_buckets=250; sysctl -w net.netfilter.nf_conntrack_max=1000"
	entries := func(count string) func(*Input) {
		return func(in *Input) { in.State.Namespaces[0].Sysctls = map[string]string{conntrackCount: count} }
	}
	counter := func(name string) event.Counter {
		return event.Counter{Source: event.CounterConntrack, Name: name, Netns: pod0}
	}
	run(t, []rule{
		{"below", entries("749"), nil},
		{"three quarters", entries("750"), []string{"info conntrack-table" + more}},
		{"nine tenths", entries("900"), []string{"warning conntrack-table" + more}},
		{"refused", func(in *Input) { in.count(counter("drop"), 0, 1000) }, []string{"critical conntrack-table" + more}},
		{"thrown out", func(in *Input) { in.count(counter("early_drop"), 0, 10) }, []string{"warning conntrack-table" + more}},
		{"no limit known", func(in *Input) { delete(in.State.Sysctls, conntrackMax); entries("900")(in) }, nil},
	})
}

func TestNeighbours(t *testing.T) {
	const more = ": sysctl -w net.ipv4.neigh.default.gc_thresh3=4096; sysctl -w net.ipv4.neigh.default.gc_thresh2=2048; sysctl -w net.ipv4.neigh.default.gc_thresh1=512" +
		" | sysctl -w net.ipv4.neigh.default.gc_thresh3=1024; sysctl -w net.ipv4.neigh.default.gc_thresh2=512; sysctl -w net.ipv4.neigh.default.gc_thresh1=128"
	counter := func(name string) event.Counter {
		return event.Counter{Source: event.CounterNeighbour, Name: name, Part: "arp_cache"}
	}
	run(t, []rule{
		{"below", func(in *Input) { in.State.Neighbours[0].Entries = 819 }, nil},
		{"four fifths", func(in *Input) { in.State.Neighbours[0].Entries = 820 }, []string{"warning neighbour-table" + more}},
		{"refused", func(in *Input) { in.count(counter("table_fulls"), 0, 1000) }, []string{"critical neighbour-table" + more}},
		{"a few wait in vain", func(in *Input) { in.count(counter("unresolved_discards"), 0, 9) }, nil},
		{"many wait in vain", func(in *Input) { in.count(counter("unresolved_discards"), 0, 10) },
			[]string{"warning neighbour-queue: sysctl -w net.ipv4.neigh.default.unres_qlen_bytes=851968; sysctl -w net/ipv4/neigh/eth0/unres_qlen_bytes=4000 | sysctl -w net.ipv4.neigh.default.unres_qlen_bytes=212992; sysctl -w net/ipv4/neigh/eth0/unres_qlen_bytes=1000"}},
	})
}
