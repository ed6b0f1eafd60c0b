// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// said is the answers of rtnetlink and ethtool in a test.
type said struct {
	links   []Link
	devices map[string]Device
	err     error
}

func (s said) Links() ([]Link, error) { return s.links, s.err }

func (s said) Device(name string) (Device, error) {
	device, ok := s.devices[name]
	if !ok {
		return device, fs.ErrPermission
	}
	return device, nil
}

// TestReadState reads a virtio device, whose interrupts belong to the PCI device around
// it, and a namespace whose veth ends in the first one.
func TestReadState(t *testing.T) {
	files := fstest.MapFS{
		"sys/class/net/eth0": {Data: []byte("../../devices/pci0000:00/0000:00:03.0/virtio2/net/eth0"), Mode: fs.ModeSymlink},
		"sys/devices/pci0000:00/0000:00:03.0/virtio2/net/eth0/speed":                    file("-1\n"),
		"sys/devices/pci0000:00/0000:00:03.0/virtio2/net/eth0/threaded":                 file("1\n"),
		"sys/devices/pci0000:00/0000:00:03.0/virtio2/net/eth0/queues/rx-0/rps_cpus":     file("2\n"),
		"sys/devices/pci0000:00/0000:00:03.0/virtio2/net/eth0/queues/rx-0/rps_flow_cnt": file("64\n"),
		"sys/devices/pci0000:00/0000:00:03.0/msi_irqs/38":                               file("msix\n"),
		"sys/devices/pci0000:00/0000:00:03.0/msi_irqs/37":                               file("msix\n"),
		"proc/irq/38/smp_affinity_list":                                                 file("0-1\n"),
		"proc/irq/37/smp_affinity_list":                                                 file("1\n"),
		"proc/sys/net/ipv4/conf/eth0/rp_filter":                                         file("2\n"),
		"proc/sys/net/ipv4/neigh/eth0/unres_qlen_bytes":                                 file("4096\n"),
		"proc/sys/net/core/somaxconn":                                                   file("4096\n"),
		"proc/sys/net/ipv4/udp_mem":                                                     file("1\t2\t3\n"),
		"proc/net/stat/arp_cache":                                                       file("entries  allocs\n000000ff 1\n000000ff 2\n"),
		"proc/net/sockstat":                                                             file("sockets: used 3\nTCP: inuse 0 orphan 0 tw 0 alloc 1 mem 4\nUDP: inuse 2 mem 190\nUDPLITE: inuse 0\nFRAG: inuse 0 memory 0\n"),
		"proc/net/stat/ndisc_cache":                                                     file("allocs\n1\n"),
		"sys/devices/system/cpu/online":                                                 file("0-1\n"),
		"sys/fs/cgroup/memory.stat":                                                     file("anon 1\n"),
		"sys/fs/cgroup/cgroup.stat":                                                     file("nr_dying_descendants 7\n"),
		"etc/kubernetes/kubelet.conf":                                                   file(""),
	}
	host := event.Netns{Inode: 1, Name: "host"}
	pod := event.Netns{Inode: 2, Name: "pod"}
	got := ReadState(Sources{Root: files, Notes: []string{"a"}, Spaces: []Space{
		{Netns: host, Files: files, Reader: said{
			links:   []Link{{Name: "eth0", Index: 2}, {Name: "v\x1b[0m", Index: 3, Kind: "veth", Peer: &Peer{Netns: pod, Index: 9}}, {Name: "locked", Index: 4}},
			devices: map[string]Device{"eth0": {Driver: "virtio_net", Ring: Ring{256, 512}}},
		}},
		{Netns: pod, Path: "/run/netns/pod", Files: fstest.MapFS{}, Reader: said{
			links: []Link{{Name: "eth0", Index: 9, Kind: "veth", Peer: &Peer{Netns: host, Index: 3}}},
		}},
		{Netns: event.Netns{Inode: 3}, Path: "/proc/9/ns/net", Files: fstest.MapFS{}, Reader: said{err: errors.New("list interfaces: broken")}},
	}})
	want := State{
		CPUs:    []int{0, 1},
		Sysctls: Sysctls{"net.ipv4.udp_mem": "1 2 3"},
		Namespaces: []Namespace{
			{Netns: host, Sysctls: Sysctls{"net.core.somaxconn": "4096"}, Links: []Link{
				{
					Name: "eth0", Index: 2, RPFilter: 2, Threaded: 1, Unresolved: Unresolved{4096, -1}, RxQueues: []RxQueue{{CPUs: []int{1}, Flows: 64}},
					IRQs:   []IRQ{{37, []int{1}}, {38, []int{0, 1}}},
					Device: Device{Driver: "virtio_net", Ring: Ring{256, 512}},
				},
				{Name: `v\x1b[0m`, Index: 3, Kind: "veth", RPFilter: -1, Threaded: -1, Unresolved: Unresolved{-1, -1}, Peer: &Peer{Netns: pod, Index: 9, Name: "eth0"}},
				{Name: "locked", Index: 4, RPFilter: -1, Threaded: -1, Unresolved: Unresolved{-1, -1}},
			}},
			{Netns: pod, Path: "/run/netns/pod", Sysctls: Sysctls{}, Links: []Link{
				{Name: "eth0", Index: 9, Kind: "veth", RPFilter: -1, Threaded: -1, Unresolved: Unresolved{-1, -1}, Peer: &Peer{Netns: host, Index: 3, Name: `v\x1b[0m`}},
			}},
			{Netns: event.Netns{Inode: 3}, Path: "/proc/9/ns/net", Sysctls: Sysctls{}},
		},
		Neighbours:  []NeighbourTable{{"arp_cache", "ipv4", 255}},
		SocketPages: SocketPages{TCP: 4, UDP: 190},
		Cgroups:     Cgroups{Dir: "/sys/fs/cgroup", Dying: 7, DyingKnown: true},
		Kubelet:     true,
		Notes:       []string{"a", "ethtool of locked: permission denied", "interfaces of namespace 3: list interfaces: broken"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Cgroups{}, "Read")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestReadStateOfNothing(t *testing.T) {
	got := ReadState(Sources{Root: fstest.MapFS{}})
	want := State{Sysctls: Sysctls{}, Notes: []string{"settings in /proc/sys/net: none is readable"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestNumbers(t *testing.T) {
	s := Sysctls{"one": "7", "three": "1 2 3", "text": "fq_codel", "below": "-1"}
	if n, ok := s.Number("one"); n != 7 || !ok {
		t.Errorf("got %d, %t", n, ok)
	}
	for _, name := range []string{"three", "text", "below", "none"} {
		if n, ok := s.Number(name); ok {
			t.Errorf("%s: got %d", name, n)
		}
	}
	if diff := cmp.Diff([]uint64{1, 2, 3}, s.Numbers("three")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
