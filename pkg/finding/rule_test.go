// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// rule is a case of a rule: a quiet node with something done to it, and what is found
// then, each finding as "severity id device: fixes | undos".
type rule struct {
	name string
	do   func(*Input)
	want []string
}

func run(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			in := quiet()
			r.do(&in)
			var got []string
			for _, f := range Find(in) {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Severity, f.ID, f.Device))+
					": "+strings.Join(f.Fix, "; ")+" | "+strings.Join(f.Undo, "; "))
				if !slices.Contains(IDs(), f.ID) {
					t.Errorf("%s is not among IDs", f.ID)
				}
				if f.Explain == "" || len(f.Evidence) == 0 || f.Cost == "" && len(f.Fix) > 0 {
					t.Errorf("something is not said: %+v", f)
				}
			}
			if diff := cmp.Diff(r.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// The own namespace of a quiet node, and another one.
var (
	host0 = event.Netns{Inode: 1, Name: "host"}
	pod0  = event.Netns{Inode: 2, Name: "pod"}
)

// quiet is ten seconds of a node with two CPUs, a NIC, and a pod, on which nothing moves.
func quiet() Input {
	in := Input{Elapsed: 10 * time.Second}
	in.State = node.State{
		CPUs: []int{0, 1},
		Sysctls: node.Sysctls{
			backlogName: "1000", budgetName: "300", usecsName: "8000", flowsName: "0",
			"net.core.rmem_max": "212992", "net.core.rmem_default": "212992", "net.ipv4.udp_mem": "100 200 300", "net.ipv4.tcp_mem": "1000 2000 3000",
			conntrackMax: "1000", conntrackBuckets: "250",
			"net.ipv4.neigh.default.gc_thresh1": "128", "net.ipv4.neigh.default.gc_thresh2": "512", "net.ipv4.neigh.default.gc_thresh3": "1024",
		},
		Neighbours: []node.NeighbourTable{{Name: "arp_cache", Family: "ipv4", Entries: 10}},
		Cgroups:    node.Cgroups{Dir: "/sys/fs/cgroup", Dying: 10, DyingKnown: true, Read: time.Millisecond},
	}
	own := node.Sysctls{
		somaxconn: "128", synBacklog: "512", cookies: "1", "net.ipv4.tcp_rmem": "4096 131072 6291456", allFilter: "0",
		fragments4: "4194304", fragments6: "4194304",
		conntrackCount: "10", "net.ipv4.neigh.default.unres_qlen_bytes": "212992",
	}
	in.State.Namespaces = []node.Namespace{
		{Netns: host0, Sysctls: own, Links: []node.Link{
			{Name: "eth0", Index: 2, MTU: 1500, Up: true, Enabled: true, Carrier: true, Speed: 10000, TxQueueLen: 1000, RxPackets: 1e9, Unresolved: node.Unresolved{IPv4: 1000, IPv6: 1000},
				IRQs:     []node.IRQ{{Number: 30, CPUs: []int{0, 1}}, {Number: 31, CPUs: []int{0, 1}}},
				RxQueues: []node.RxQueue{{}},
				Device:   node.Device{Driver: "ixgbe", RxChecks: true, Ring: node.Ring{Rx: 512, RxMax: 4096}, Channels: node.Channels{Combined: 2, CombinedMax: 64}}},
			{Name: "veth0", Index: 5, Kind: "veth", MTU: 1500, Up: true, Enabled: true, Carrier: true, Peer: &node.Peer{Netns: pod0, Index: 2, Name: "eth0"}},
		}},
		{Netns: pod0, Path: "/run/netns/pod", Sysctls: own, Links: []node.Link{
			{Name: "eth0", Index: 2, Kind: "veth", MTU: 1500, Up: true, Enabled: true, Carrier: true, Peer: &node.Peer{Netns: host0, Index: 5, Name: "veth0"}},
		}},
	}
	in.LoadBefore = idle(100 * time.Second)
	in.LoadAfter = idle(110 * time.Second)
	return in
}

func idle(total time.Duration) node.Load {
	load := node.Load{
		CPUs: map[int]node.CPUTime{}, NetRX: map[int]uint64{}, RxPackets: map[string]uint64{},
		Interrupts: map[int]map[int]uint64{30: {}, 31: {}}, Ksoftirqd: map[int]node.Thread{},
	}
	for cpu := range 2 {
		load.CPUs[cpu] = node.CPUTime{Total: total}
		load.Ksoftirqd[cpu] = node.Thread{PID: 14 + cpu}
	}
	return load
}

// link is of the NIC.
func (in *Input) link() *node.Link { return &in.State.Namespaces[0].Links[0] }

// count has a counter at two values.
func (in *Input) count(c event.Counter, before, after uint64) {
	in.Counters = append(in.Counters, between([]event.Reading{{Counter: c, Value: before}}, []event.Reading{{Counter: c, Value: after}})...)
}

func (in *Input) device(name string, before, after uint64) {
	in.count(event.Counter{Source: event.CounterLink, Name: name, Netns: host0, Device: "eth0"}, before, after)
}

func (in *Input) protocol(ns event.Netns, name string, moved uint64) {
	in.count(event.Counter{Source: event.CounterProtocol, Name: name, Netns: ns}, 5, 5+moved)
}

func (in *Input) softnet(name string, moved uint64) {
	in.count(event.Counter{Source: event.CounterSoftnet, Name: name, Part: "cpu 1"}, 7, 7+moved)
}

// moves is a case in which a protocol's counter of a namespace moves.
func moves(ns event.Netns, name string, moved uint64) func(*Input) {
	return func(in *Input) { in.protocol(ns, name, moved) }
}

// traced has drops traced at a device.
func (in *Input) traced(ns event.Netns, device event.Device, reason, function string, drops uint64) {
	cell := &event.Cell{Netns: ns, Device: device, Reason: event.Reason{Name: reason}, Location: &event.Frame{Symbol: function}}
	in.Traced = append(in.Traced, event.Count{Cell: cell, Drops: drops})
}
