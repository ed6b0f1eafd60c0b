// SPDX-License-Identifier: Apache-2.0

//go:build linux

package finding

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/host"
	"github.com/dropwatch/dropwatch/pkg/lab"
	"github.com/dropwatch/dropwatch/pkg/lab/labtest"
)

// tableConditions are tables of the machine that are full.
func tableConditions() []condition {
	return []condition{
		{"more connections than there is room for", fullConntrack, "conntrack-table", true},
		{"more neighbours than there is room for", fullNeighbours, "neighbour-table", true},
	}
}

// counters are those of readings, and those of connection tracking.
func counters(t *testing.T, network *lab.Net) []event.Reading {
	t.Helper()
	all := readings(t, network)
	check(t, network.Rx.Do(func() error {
		const file = "/proc/thread-self/net/stat/nf_conntrack"
		if _, err := os.Stat(file); err == nil {
			all = append(all, columns(t, file, event.Counter{Source: event.CounterConntrack, Netns: event.Netns{Inode: network.Rx.Netns}})...)
		}
		return nil
	}))
	return all
}

// fullConntrack tracks the connections of a host and has more than fit.
func fullConntrack(t *testing.T, network *lab.Net) {
	command(t, network.Rx, "nft", "add table ip f; add chain ip f in { type filter hook input priority 0; }; add rule ip f in ct state new accept")
	global(t, "net/netfilter/nf_conntrack_max", "5")
	bind(t, network.Rx, netip.AddrPort{})
	for range 50 {
		_, err := bind(t, network.Tx, netip.AddrPortFrom(network.Rx.Addr4, port)).Write([]byte{1})
		check(t, err)
	}
}

// fullNeighbours looks for more neighbours than fit beside those there are.
func fullNeighbours(t *testing.T, network *lab.Net) {
	for _, n := range (host.Files{Root: os.DirFS("/")}).Neighbours() {
		if n.Family == "ipv4" {
			for i, name := range []string{"gc_thresh1", "gc_thresh2", "gc_thresh3"} {
				global(t, "net/ipv4/neigh/default/"+name, strconv.FormatUint(n.Entries+uint64(i)+1, 10))
			}
		}
	}
	var conn *net.UDPConn
	check(t, network.Tx.Do(func() (err error) {
		conn, err = net.ListenUDP("udp4", nil)
		return err
	}))
	defer conn.Close()
	address := network.Rx.Addr4
	for range 50 {
		address = address.Next()
		_, _ = conn.WriteToUDPAddrPort([]byte{1}, netip.AddrPortFrom(address, port)) // fails where there is no room
	}
}

// TestDying makes cgroups that die with a page of a file in each.
func TestDying(t *testing.T) {
	labtest.NeedRoot(t)
	root := "/sys/fs/cgroup/memory"
	if _, err := os.Stat(root); err != nil {
		root = "/sys/fs/cgroup"
	}
	dir, err := os.MkdirTemp("/dev/shm", "dropwatch-dying") // files in memory
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	runtime.LockOSThread() // and never back: the thread is in another cgroup
	for i := range manyDying {
		dieInCgroup(t, root, filepath.Join(dir, strconv.Itoa(i)))
	}
	sources, err := host.LiveSources()
	check(t, err)
	found := dyingCgroups(newNode(Input{State: host.ReadState(sources)}))
	if len(found) != 1 || found[0].Evidence[1].Value.(uint64) < manyDying {
		t.Errorf("found %+v", found)
	}
}

// dieInCgroup writes a file in a cgroup, and removes the cgroup.
func dieInCgroup(t *testing.T, root, file string) {
	t.Helper()
	group := filepath.Join(root, "dropwatch-dying")
	check(t, os.Mkdir(group, 0o755))
	join := func(dir string) {
		check(t, os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(unix.Getpid())), 0))
	}
	join(group)
	err := os.WriteFile(file, make([]byte, 4096), 0o600)
	join(root)
	check(t, err)
	check(t, os.Remove(group))
}
