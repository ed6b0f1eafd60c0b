// SPDX-License-Identifier: Apache-2.0

package node

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Sysctls maps names such as net.core.somaxconn to values as the kernel prints them.
type Sysctls map[string]string

// Numbers returns the numbers of a setting, nil if the setting is unknown or not numeric.
func (s Sysctls) Numbers(name string) []uint64 {
	var all []uint64
	for _, word := range strings.Fields(s[name]) {
		n, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return nil
		}
		all = append(all, n)
	}
	return all
}

// Number returns the number of a setting, false if the setting is unknown or not one number.
func (s Sysctls) Number(name string) (uint64, bool) {
	all := s.Numbers(name)
	if len(all) != 1 {
		return 0, false
	}
	return all[0], true
}

// machineSysctls apply to the whole machine. Only the initial namespace shows them: see
// net/core/sysctl_net_core.c, net/core/neighbour.c, net/ipv4/sysctl_net_ipv4.c.
func machineSysctls() []string {
	return []string{
		"net.core.netdev_max_backlog",
		"net.core.netdev_budget",
		"net.core.netdev_budget_usecs", // since 4.12
		"net.core.rmem_default",
		"net.core.rmem_max",
		"net.core.rps_sock_flow_entries",
		"net.ipv4.udp_mem",
		"net.ipv4.tcp_mem",
		"net.ipv4.neigh.default.gc_thresh1",
		"net.ipv4.neigh.default.gc_thresh2",
		"net.ipv4.neigh.default.gc_thresh3",
		"net.ipv6.neigh.default.gc_thresh1",
		"net.ipv6.neigh.default.gc_thresh2",
		"net.ipv6.neigh.default.gc_thresh3",
		"net.netfilter.nf_conntrack_max",
		"net.netfilter.nf_conntrack_buckets",
	}
}

// namespaceSysctls are the settings that each network namespace has.
func namespaceSysctls() []string {
	return []string{
		"net.core.somaxconn",
		"net.ipv4.tcp_max_syn_backlog",
		"net.ipv4.tcp_syncookies",
		"net.ipv4.tcp_rmem",
		"net.ipv4.conf.all.rp_filter",
		"net.ipv4.neigh.default.unres_qlen_bytes", // for devices made later
		"net.ipv6.neigh.default.unres_qlen_bytes",
		"net.ipv4.ipfrag_high_thresh",
		"net.ipv6.ip6frag_high_thresh",
		"net.netfilter.nf_conntrack_count",
	}
}

// sysctls reads the settings that exist.
func (r Root) sysctls(names []string) Sysctls {
	all := Sysctls{}
	for _, name := range names {
		if text, ok := r.read("/proc/sys/" + strings.ReplaceAll(name, ".", "/")); ok {
			all[name] = strings.Join(strings.Fields(text), " ")
		}
	}
	return all
}

// sysctlOf reads a numeric setting of a device, whose name may contain dots; -1 if it cannot
// be read.
func (r Root) sysctlOf(dir, device, name string) int {
	return r.number(path.Join("/proc/sys/net", dir, device, name))
}

// number reads a file that holds one number; -1 if it cannot be read.
func (r Root) number(name string) int {
	text, ok := r.read(name)
	if !ok {
		return -1
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return -1
	}
	return n
}

// exists reports whether a file or directory exists.
func (r Root) exists(name string) bool {
	_, err := fs.Stat(r.FS, strings.TrimPrefix(name, "/"))
	return err == nil
}
