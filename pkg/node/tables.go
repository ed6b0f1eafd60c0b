// SPDX-License-Identifier: Apache-2.0

package node

import (
	"slices"
	"strconv"
	"strings"
)

// NeighbourTable is a neighbor table. All namespaces share it.
type NeighbourTable struct {
	Name    string // of its file: arp_cache, ndisc_cache
	Family  string // as in the names of its settings: ipv4, ipv6
	Entries uint64
}

// Neighbours reads the numbers of entries. The files have one row for each CPU, and each row
// has the same number of entries, in hexadecimal (neigh_stat_seq_show in
// net/core/neighbour.c).
func (r Root) Neighbours() []NeighbourTable {
	var tables []NeighbourTable
	for _, t := range []NeighbourTable{{Name: "arp_cache", Family: "ipv4"}, {Name: "ndisc_cache", Family: "ipv6"}} {
		text, ok := r.read("/proc/net/stat/" + t.Name)
		if !ok {
			continue
		}
		if t.Entries, ok = firstEntry(text, "entries"); ok {
			tables = append(tables, t)
		}
	}
	return tables
}

// firstEntry returns the value of a column in the first row.
func firstEntry(text, name string) (uint64, bool) {
	lines := strings.SplitN(text, "\n", 3)
	if len(lines) < 2 {
		return 0, false
	}
	values := strings.Fields(lines[1])
	i := slices.Index(strings.Fields(lines[0]), name)
	if i < 0 || i >= len(values) {
		return 0, false
	}
	n, err := strconv.ParseUint(values[i], 16, 64)
	return n, err == nil
}

// SocketPages is the memory of all sockets of a protocol, in pages.
type SocketPages struct {
	TCP, UDP uint64
}

// socketPages reads /proc/net/sockstat: "UDP: inuse 2 mem 190". The memory is that of all
// namespaces (sockstat_seq_show in net/ipv4/proc.c).
func (r Root) socketPages() SocketPages {
	var pages SocketPages
	text, _ := r.read("/proc/net/sockstat")
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		i := slices.Index(words, "mem")
		if i < 0 || i+1 >= len(words) {
			continue
		}
		n, err := strconv.ParseUint(words[i+1], 10, 64)
		switch {
		case err != nil:
		case words[0] == "TCP:":
			pages.TCP = n
		case words[0] == "UDP:":
			pages.UDP = n
		}
	}
	return pages
}

// FragmentMemory is the memory of the reassembly queues of a namespace, in bytes.
type FragmentMemory struct {
	IPv4, IPv6 uint64
}

// fragments reads sockstat and sockstat6 of the calling thread's namespace: "FRAG: inuse 2
// memory 4864" (sockstat_seq_show in net/ipv4/proc.c and sockstat6_seq_show in
// net/ipv6/proc.c).
func (r Root) fragments() FragmentMemory {
	memory := func(file, row string) uint64 {
		text, _ := r.read("/proc/thread-self/net/" + file)
		for line := range strings.Lines(text) {
			words := strings.Fields(line)
			if i := slices.Index(words, "memory"); i > 0 && i+1 < len(words) && words[0] == row {
				n, _ := strconv.ParseUint(words[i+1], 10, 64) // 0 if invalid
				return n
			}
		}
		return 0
	}
	return FragmentMemory{memory("sockstat", "FRAG:"), memory("sockstat6", "FRAG6:")}
}
