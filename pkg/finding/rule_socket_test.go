// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// loses has a socket of a program that lost packets.
func (in *Input) loses(ns event.Netns, s node.Socket) {
	s.Netns, s.Local = ns, netip.MustParseAddrPort("10.0.0.2:53")
	if s.Holders == nil {
		s.Holders = []node.Process{{PID: 7, Comm: "named"}}
	}
	in.Sockets = append(in.Sockets, s)
}

func TestReceiveBuffers(t *testing.T) {
	const look = ": ss -uanmp | "
	udp := func(buffer uint32, change ...func(*Input)) func(*Input) {
		return func(in *Input) {
			in.protocol(host0, "UdpRcvbufErrors", 1000)
			in.loses(host0, node.Socket{Protocol: "udp", Buffer: buffer, Lost: 1000})
			for _, c := range change {
				c(in)
			}
		}
	}
	standard := func(value string) func(*Input) {
		return func(in *Input) { in.State.Sysctls[rmemDefault] = value }
	}
	const ask = "# named (pid 7) has to read faster, or to ask for more than %d with SO_RCVBUF; net.core.rmem_max allows 212992 | "
	run(t, []rule{
		{"none now", moves(host0, "UdpRcvbufErrors", 0), nil},
		{"the socket is gone", moves(host0, "UdpRcvbufErrors", 1000), []string{"critical udp-receive-buffer" + look}},
		{"gone, in a pod", moves(pod0, "Udp6RcvbufErrors", 1), []string{"info udp-receive-buffer: nsenter --net=/run/netns/pod ss -uanmp | "}},
		{"the node's default", udp(212992), []string{"critical udp-receive-buffer: sysctl -w net.core.rmem_default=851968; " +
			"# then restart named (pid 7): a socket takes the default when it is opened | sysctl -w net.core.rmem_default=212992"}},
		{"the default was raised, the program not restarted", udp(212992, standard("851968")), []string{"critical udp-receive-buffer: " + fmt.Sprintf(ask, 106496)}},
		{"the default was raised, and it is not enough", udp(851968, standard("851968")), []string{"critical udp-receive-buffer: " + fmt.Sprintf(ask, 425984)}},
		{"the program set it", udp(4608), []string{"critical udp-receive-buffer: " + fmt.Sprintf(ask, 2304)}},
		{"the program asked for all it may have", udp(425984), []string{"critical udp-receive-buffer: sysctl -w net.core.rmem_max=851968; " +
			"# then restart named (pid 7): SO_RCVBUF is limited when it is set | sysctl -w net.core.rmem_max=212992"}},
		{"more than any program should have", udp(2*bufferLargest, func(in *Input) { in.State.Sysctls[rmemMax] = "67108864" }),
			[]string{"critical udp-receive-buffer: # named (pid 7) has to read faster, or to ask for more than 67108864 with SO_RCVBUF; net.core.rmem_max allows 67108864 | "}},
		{"two programs", func(in *Input) {
			in.protocol(host0, "UdpRcvbufErrors", 1010)
			in.loses(host0, node.Socket{Protocol: "udp", Buffer: 4608, Lost: 1000})
			in.loses(host0, node.Socket{Protocol: "udp", Buffer: 2304, Lost: 10, Holders: []node.Process{{PID: 8, Comm: "b"}, {PID: 9, Comm: "b"}}})
		}, []string{"critical udp-receive-buffer: " + fmt.Sprintf(ask, 2304),
			"warning udp-receive-buffer: # b (pid 8 and 1 more) has to read faster, or to ask for more than 1152 with SO_RCVBUF; net.core.rmem_max allows 212992 | "}},
		{"two sockets of a program are one finding", func(in *Input) {
			in.protocol(host0, "UdpRcvbufErrors", 1010)
			in.loses(host0, node.Socket{Protocol: "udp", Buffer: 4608, Lost: 1000})
			in.loses(host0, node.Socket{Protocol: "udp", Buffer: 4608, Lost: 10})
		}, []string{"critical udp-receive-buffer: " + fmt.Sprintf(ask, 2304)}},
		{"a socket that lost little beside one that is gone", func(in *Input) {
			in.protocol(host0, "UdpRcvbufErrors", 1000)
			in.loses(host0, node.Socket{Protocol: "udp", Buffer: 4608, Lost: 1})
		}, []string{"warning udp-receive-buffer" + look, "info udp-receive-buffer: " + fmt.Sprintf(ask, 2304)}},
		{"a socket of another namespace", func(in *Input) {
			in.protocol(host0, "UdpRcvbufErrors", 1000)
			in.loses(pod0, node.Socket{Protocol: "udp", Buffer: 4608, Lost: 1000})
		}, []string{"critical udp-receive-buffer" + look}},
	})
}

func TestMemories(t *testing.T) {
	const udp = "sysctl -w 'net.ipv4.udp_mem=200 400 600' | sysctl -w 'net.ipv4.udp_mem=100 200 300'"
	const tcp = "sysctl -w 'net.ipv4.tcp_mem=2000 4000 6000' | sysctl -w 'net.ipv4.tcp_mem=1000 2000 3000'"
	run(t, []rule{
		{"UDP", moves(host0, "UdpMemErrors", 10), []string{"warning udp-memory: " + udp}},
		{"UDP is below nine tenths", func(in *Input) { in.State.SocketPages.UDP = 269 }, nil},
		{"UDP is at nine tenths", func(in *Input) { in.State.SocketPages.UDP = 270 }, []string{"warning udp-memory: " + udp}},
		{"TCP is at nine tenths", func(in *Input) { in.State.SocketPages.TCP = 2700 }, []string{"warning tcp-memory: " + tcp}},
		{"what TCP loses by that is no full buffer", func(in *Input) {
			in.State.SocketPages.TCP = 2700
			in.protocol(host0, "TcpExtTCPRcvQDrop", 1000)
		}, []string{"critical tcp-memory: " + tcp}},
	})
}

func TestTCPBuffers(t *testing.T) {
	tcp := func(buffer uint32) func(*Input) {
		return func(in *Input) {
			in.protocol(pod0, "TcpExtTCPRcvQDrop", 10)
			in.loses(pod0, node.Socket{Protocol: "tcp", Buffer: buffer, Lost: 10, SinceOpen: true})
		}
	}
	run(t, []rule{
		{"TCP only collapses", moves(host0, "TcpExtPruneCalled", 1000), nil},
		{"the connection is gone", moves(host0, "TcpExtTCPRcvQDrop", 10), []string{"warning tcp-receive-buffer: ss -tnmp | "}},
		{"as large as it may grow", tcp(6291456), []string{"warning tcp-receive-buffer: nsenter --net=/run/netns/pod sysctl -w 'net.ipv4.tcp_rmem=4096 131072 12582912' | " +
			"nsenter --net=/run/netns/pod sysctl -w 'net.ipv4.tcp_rmem=4096 131072 6291456'"}},
		{"smaller than any begins", tcp(2304), []string{"warning tcp-receive-buffer: # named (pid 7) has to read faster, or not to set SO_RCVBUF: then the buffer grows up to 6291456 | "}},
		{"in between", tcp(262144), []string{"warning tcp-receive-buffer: # named (pid 7) has to read faster, or not to set SO_RCVBUF | "}},
	})
}

func TestListens(t *testing.T) {
	listener := func(backlog uint32, names ...string) func(*Input) {
		return func(in *Input) {
			for _, name := range names {
				in.protocol(host0, name, 10)
			}
			in.loses(host0, node.Socket{Protocol: "tcp", Listens: true, Backlog: backlog, Waiting: backlog + 1, Lost: 10})
		}
	}
	const (
		program = ": # named (pid 7) has to call listen() with a backlog above 1; net.core.somaxconn allows 128"
		limit   = ": sysctl -w net.core.somaxconn=4096; # then restart named (pid 7): listen() takes the limit when it is called"
		undo    = "sysctl -w net.core.somaxconn=128; # 128 may be an earlier change: the kernel's default is 4096"
	)
	run(t, []rule{
		{"none now", moves(host0, "TcpExtListenDrops", 0), nil},
		{"full, of a backlog of its own", listener(1, "TcpExtListenDrops", "TcpExtListenOverflows"), []string{"warning accept-queue" + program + " | "}},
		{"full, as long as it may be", listener(128, "TcpExtListenDrops", "TcpExtListenOverflows"), []string{"warning accept-queue" + limit + " | " + undo}},
		{"as long as makes sense", func(in *Input) {
			in.State.Namespaces[0].Sysctls[somaxconn] = "65535"
			listener(65535, "TcpExtListenDrops", "TcpExtListenOverflows")(in)
		}, []string{"warning accept-queue:  | "}},
		{"the listener is gone", func(in *Input) {
			in.protocol(host0, "TcpExtListenDrops", 10)
			in.protocol(host0, "TcpExtListenOverflows", 10)
		}, []string{"warning accept-queue: ss -lnt | "}},
		{"dropped for something else", listener(128, "TcpExtListenDrops"), []string{"warning accept-queue:  | "}},
		{"half-open ones", listener(1, "TcpExtListenDrops", "TcpExtTCPReqQFullDrop"), []string{"warning syn-queue" + program + " | "}},
		{"both queues are one finding", listener(1, "TcpExtListenDrops", "TcpExtListenOverflows", "TcpExtTCPReqQFullDrop"), []string{"warning accept-queue" + program + " | "}},
		{"half-open ones, with cookies", moves(host0, "TcpExtTCPReqQFullDoCookies", 1000), []string{"info syn-queue:  | "}},
		{"half-open ones, without cookies", func(in *Input) {
			in.State.Namespaces[0].Sysctls[cookies] = "0"
			listener(1, "TcpExtListenDrops")(in)
		}, []string{"warning syn-queue" + program + "; sysctl -w net.ipv4.tcp_syncookies=1 | sysctl -w net.ipv4.tcp_syncookies=0"}},
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
		{"many wait in vain at a device of a pod", func(in *Input) {
			in.count(counter("unresolved_discards"), 0, 10)
			in.State.Namespaces[1].Links[0].Unresolved.IPv4 = 212992
			in.traced(pod0, event.Device{Index: 2, Name: "eth0"}, "NEIGH_QUEUEFULL", "__neigh_event_send", 10)
		}, []string{"warning neighbour-queue: nsenter --net=/run/netns/pod sysctl -w net/ipv4/neigh/eth0/unres_qlen_bytes=851968 | nsenter --net=/run/netns/pod sysctl -w net/ipv4/neigh/eth0/unres_qlen_bytes=212992"}},
		{"many wait in vain", func(in *Input) { in.count(counter("unresolved_discards"), 0, 10) },
			[]string{"warning neighbour-queue: sysctl -w net.ipv4.neigh.default.unres_qlen_bytes=851968; sysctl -w net/ipv4/neigh/eth0/unres_qlen_bytes=212992 | sysctl -w net.ipv4.neigh.default.unres_qlen_bytes=212992; sysctl -w net/ipv4/neigh/eth0/unres_qlen_bytes=1000"}},
	})
}
