// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The forms of counters and sysctls that Info promises.
var (
	nstatForm = regexp.MustCompile(`^(Ip|IpExt|Ip6|Icmp|Icmp6|Tcp|TcpExt|Udp|Udp6)[A-Z][A-Za-z0-9]+( \(veth peer\))?$`)
	placeForm = regexp.MustCompile(`^(ip -s link|ip -s -s link|tc -s qdisc|ss -m|conntrack -S|iptables -L -v|` +
		`nft list ruleset|tcpdump|/proc/net/[a-z_/]+): [A-Za-z_]+( [a-z]+)*( \([a-z0-9 ]+\))?$`)
	sysctlForm = regexp.MustCompile(`^(net|kernel|vm)\.[a-z0-9_.*-]+$`)
)

func TestCounterForms(t *testing.T) {
	for _, info := range slices.Concat(tables()...) {
		for i, c := range info.Counters {
			if nstatForm.MatchString(c) == placeForm.MatchString(c) {
				t.Errorf("%s: counter %q is spelled in neither way, or in both", info.Name, c)
			}
			if slices.Contains(info.Counters[:i], c) {
				t.Errorf("%s: counter %q listed twice", info.Name, c)
			}
		}
		for i, s := range info.Sysctls {
			if !sysctlForm.MatchString(s) {
				t.Errorf("%s: no sysctl is spelled %q", info.Name, s)
			}
			if slices.Contains(info.Sysctls[:i], s) {
				t.Errorf("%s: sysctl %q listed twice", info.Name, s)
			}
		}
		if info.Counters != nil && len(info.Counters) == 0 || info.Sysctls != nil && len(info.Sysctls) == 0 {
			t.Errorf("%s: an empty list, want nil", info.Name)
		}
	}
}

// TestWhereToLook holds what a network engineer looks at first.
func TestWhereToLook(t *testing.T) {
	type where struct{ Counters, Sysctls []string }
	tests := map[string]where{
		"NOT_SPECIFIED": {},
		"CPU_BACKLOG": {
			[]string{"/proc/net/softnet_stat: dropped (column 2)",
				"/proc/net/softnet_stat: flow_limit_count (column 11)", "ip -s link: RX dropped",
				"ip -s link: TX dropped (veth peer)", "IpOutDiscards (veth peer)", "Ip6OutDiscards (veth peer)",
				"UdpSndbufErrors (veth peer)", "Udp6SndbufErrors (veth peer)"},
			[]string{"net.core.netdev_max_backlog", "net.core.flow_limit_cpu_bitmap", "net.core.flow_limit_table_len"},
		},
		"UNHANDLED_PROTO": {[]string{"ip -s link: RX dropped", "ip -s -s link: RX nohandler"}, nil},
		"QDISC_DROP": {[]string{"tc -s qdisc: dropped", "IpOutDiscards", "Ip6OutDiscards",
			"UdpSndbufErrors", "Udp6SndbufErrors"}, nil},
		"QDISC_BURST_DROP": {[]string{"IpOutDiscards", "Ip6OutDiscards", "UdpSndbufErrors", "Udp6SndbufErrors"},
			[]string{"net.core.qdisc_max_burst"}},
		"NETFILTER_DROP": {
			[]string{"iptables -L -v: pkts (rule or policy)", "nft list ruleset: packets (rule with a counter)",
				"conntrack -S: drop", "conntrack -S: insert_failed", "IpOutDiscards", "Ip6OutDiscards"},
			[]string{"net.netfilter.nf_conntrack_max"},
		},
		"IP_CSUM": {[]string{"IpExtInCsumErrors", "IpInHdrErrors"}, nil},
		"IP_RPFILTER": {
			[]string{"TcpExtIPReversePathFilter", "/proc/net/stat/rt_cache: in_martian_src"},
			[]string{"net.ipv4.conf.*.rp_filter", "net.ipv4.conf.*.src_valid_mark"},
		},
		"FRAG_REASM_TIMEOUT": {
			[]string{"IpReasmTimeout", "IpReasmFails", "Ip6ReasmTimeout", "Ip6ReasmFails"},
			[]string{"net.ipv4.ipfrag_time", "net.ipv4.ipfrag_high_thresh",
				"net.ipv6.ip6frag_time", "net.ipv6.ip6frag_high_thresh",
				"net.netfilter.nf_conntrack_frag6_timeout", "net.netfilter.nf_conntrack_frag6_high_thresh"},
		},
		"DUP_FRAG": {},
		"NEIGH_CREATEFAIL": {
			[]string{"/proc/net/stat/arp_cache: table_fulls", "/proc/net/stat/ndisc_cache: table_fulls", "Ip6OutNoRoutes"},
			[]string{"net.ipv4.neigh.default.gc_thresh3", "net.ipv6.neigh.default.gc_thresh3"},
		},
		"NEIGH_QUEUEFULL": {
			[]string{"/proc/net/stat/arp_cache: unresolved_discards", "/proc/net/stat/ndisc_cache: unresolved_discards"},
			[]string{"net.ipv4.neigh.*.unres_qlen_bytes", "net.ipv6.neigh.*.unres_qlen_bytes"},
		},
		"TCP_CSUM": {[]string{"TcpInCsumErrors", "TcpInErrs"}, nil},
		"TCP_LISTEN_OVERFLOW": {[]string{"TcpExtListenOverflows", "TcpExtListenDrops", "ss -m: d"},
			[]string{"net.core.somaxconn"}},
		// TcpExtTCPOFODrop is not about this reason but about PROTO_MEM.
		"TCP_OFO_DROP": {[]string{"ss -m: d"}, nil},
		"NO_SOCKET":    {[]string{"UdpNoPorts", "Udp6NoPorts", "TcpOutRsts"}, nil},
		"SOCKET_RCVBUFF": {
			[]string{"UdpRcvbufErrors", "UdpInErrors", "Udp6RcvbufErrors", "Udp6InErrors", "ss -m: d"},
			[]string{"net.core.rmem_default", "net.core.rmem_max"},
		},
		"PROTO_MEM": {
			[]string{"TcpExtTCPRcvQDrop", "TcpExtTCPOFODrop",
				"UdpMemErrors", "UdpInErrors", "Udp6MemErrors", "Udp6InErrors", "ss -m: d"},
			[]string{"net.ipv4.tcp_mem", "net.ipv4.tcp_rmem", "net.ipv4.udp_mem", "net.ipv4.udp_rmem_min"},
		},
		"UDP_CSUM":      {[]string{"UdpInCsumErrors", "UdpInErrors", "Udp6InCsumErrors", "Udp6InErrors"}, nil},
		"RX_DROP_U_DUP": {},
	}
	for name, want := range tests {
		info := Lookup(name)
		if diff := cmp.Diff(want, where{info.Counters, info.Sysctls}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
