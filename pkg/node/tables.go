// SPDX-License-Identifier: Apache-2.0

package node

import (
	"slices"
	"strconv"
	"strings"
)

// NeighbourTable is a table of neighbours, which all namespaces share.
type NeighbourTable struct {
	Name    string // of its file: arp_cache, ndisc_cache
	Family  string // as in its settings: ipv4, ipv6
	Entries uint64
}

// Neighbours reads how full the tables are. Each row of the files repeats the number of
// entries for a CPU (neigh_stat_seq_show in net/core/neighbour.c); it is hexadecimal.
func (f Files) Neighbours() []NeighbourTable {
	var tables []NeighbourTable
	for _, t := range []NeighbourTable{{Name: "arp_cache", Family: "ipv4"}, {Name: "ndisc_cache", Family: "ipv6"}} {
		text, ok := f.read("/proc/net/stat/" + t.Name)
		if !ok {
			continue
		}
		if t.Entries, ok = firstEntry(text, "entries"); ok {
			tables = append(tables, t)
		}
	}
	return tables
}

// firstEntry returns a column's value in the first row below the names.
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

// SocketPages is the memory that all sockets of a protocol hold together, in pages.
type SocketPages struct {
	TCP, UDP uint64
}

// socketPages reads /proc/net/sockstat, whose numbers of memory are of all namespaces
// (sockstat_seq_show in net/ipv4/proc.c): "UDP: inuse 2 mem 190".
func (f Files) socketPages() SocketPages {
	var pages SocketPages
	text, _ := f.read("/proc/net/sockstat")
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

// FragmentMemory is what fragments of packets that are not complete hold in a namespace,
// in bytes.
type FragmentMemory struct {
	IPv4, IPv6 uint64
}

// fragments reads /proc/net/sockstat and sockstat6 as the calling thread sees them
// (sockstat_seq_show in net/ipv4/proc.c and sockstat6_seq_show in net/ipv6/proc.c):
// "FRAG: inuse 2 memory 4864".
func (f Files) fragments() FragmentMemory {
	memory := func(file, row string) uint64 {
		text, _ := f.read("/proc/thread-self/net/" + file)
		for line := range strings.Lines(text) {
			words := strings.Fields(line)
			if i := slices.Index(words, "memory"); i > 0 && i+1 < len(words) && words[0] == row {
				n, _ := strconv.ParseUint(words[i+1], 10, 64) // 0 if it is none
				return n
			}
		}
		return 0
	}
	return FragmentMemory{memory("sockstat", "FRAG:"), memory("sockstat6", "FRAG6:")}
}
