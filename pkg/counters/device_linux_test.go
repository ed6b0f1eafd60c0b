// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestDriverCounters has a program drop packets in the driver of veth, which nothing but
// ethtool -S shows.
func TestDriverCounters(t *testing.T) {
	labtest.NeedRoot(t)
	network := newNetwork(t)
	dropAll := program(t)
	inside(t, network.Rx, func() error { return netlink.LinkSetXdpFd(find(t, network.Rx.Device), dropAll.FD()) })
	inhabit(t, network)
	r := newReader(t)
	before := r.counters(network)
	const n = 5
	inside(t, network.Tx, func() error { return datagrams(network.Rx, n) })
	drops := deviceCounter(network.Rx, event.CounterDriver, "rx_queue_0_xdp_drops", "")
	moved := difference(before, r.counters(network))
	for deadline := time.Now().Add(10 * time.Second); moved[drops] < n && time.Now().Before(deadline); {
		moved = difference(before, r.counters(network)) // the other end polls when it gets to it
	}
	if d := cmp.Diff(map[event.Counter]uint64{drops: n}, moved); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestClassfulQdisc: drops in a qdisc inside another are counted by both, and read once.
func TestClassfulQdisc(t *testing.T) {
	labtest.NeedRoot(t)
	network := newNetwork(t)
	inside(t, network.Tx, func() error { return fullClass(find(t, network.Tx.Device).Attrs().Index) })
	inhabit(t, network)
	r := newReader(t)
	before := r.counters(network)
	const n = 5
	inside(t, network.Tx, func() error { return datagrams(network.Rx, n) })
	after := r.counters(network)
	outer := deviceCounter(network.Tx, event.CounterQdisc, "dropped", "htb 1:")
	if moved := difference(before, after); moved[outer] != n {
		t.Errorf("%d drops moved %v", n, moved)
	}
	inner := deviceCounter(network.Tx, event.CounterQdisc, "dropped", "tbf 2:")
	if _, ok := after[inner]; ok {
		t.Errorf("drops counted twice: %+v", inner)
	}
	inner.Name = "overlimits"
	if _, ok := after[inner]; !ok {
		t.Errorf("missing %+v", inner)
	}
}

// TestQueuesOfDevice: mq is the sum of the qdiscs of a device's queues, which are read
// instead of it.
func TestQueuesOfDevice(t *testing.T) {
	labtest.NeedRoot(t)
	network := newNetwork(t)
	inside(t, network.Rx, func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.NumTxQueues, attrs.NumRxQueues = "queues", 2, 2
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "other"}); err != nil {
			return fmt.Errorf("add veth: %w", err)
		}
		if err := netlink.LinkSetUp(find(t, "queues")); err != nil {
			return fmt.Errorf("set veth up: %w", err)
		}
		mq := &netlink.GenericQdisc{QdiscType: "mq", QdiscAttrs: netlink.QdiscAttrs{
			LinkIndex: find(t, "queues").Attrs().Index, Parent: netlink.HANDLE_ROOT, Handle: netlink.MakeHandle(1, 0)}}
		return netlink.QdiscAdd(mq)
	})
	inhabit(t, network)
	got := map[string]bool{}
	for counter := range newReader(t).counters(network) {
		if counter.Device == "queues" && counter.Source == event.CounterQdisc && counter.Name == "dropped" {
			got[counter.Part] = true
		}
	}
	kind, err := os.ReadFile("/proc/sys/net/core/default_qdisc")
	if err != nil {
		t.Fatal(err)
	}
	queue := strings.TrimSpace(string(kind)) + " 0: parent 1:"
	want := map[string]bool{queue + "1": true, queue + "2": true}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestReadingsKeepTheirOrder from one reading to the next.
func TestReadingsKeepTheirOrder(t *testing.T) {
	labtest.NeedRoot(t)
	network := newNetwork(t)
	inhabit(t, network)
	r := newReader(t)
	read := func() (all []event.Counter) {
		readings, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		for _, reading := range readings {
			if reading.Netns.Inode == network.Tx.Netns {
				all = append(all, reading.Counter)
			}
		}
		return all
	}
	if first, second := read(), read(); len(first) == 0 || !slices.Equal(first, second) {
		t.Errorf("%d counters, then %d in another order", len(first), len(second))
	}
}

// fullClass makes an htb with one class, whose queue has no room for a packet.
func fullClass(index int) error {
	htb := netlink.NewHtb(netlink.QdiscAttrs{LinkIndex: index, Parent: netlink.HANDLE_ROOT, Handle: netlink.MakeHandle(1, 0)})
	htb.Defcls = 1
	if err := netlink.QdiscAdd(htb); err != nil {
		return fmt.Errorf("add htb: %w", err)
	}
	attrs := netlink.ClassAttrs{LinkIndex: index, Parent: netlink.MakeHandle(1, 0), Handle: netlink.MakeHandle(1, 1)}
	if err := netlink.ClassAdd(netlink.NewHtbClass(attrs, netlink.HtbClassAttrs{Rate: 1_000_000})); err != nil {
		return fmt.Errorf("add class: %w", err)
	}
	err := netlink.QdiscAdd(&netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: index, Parent: netlink.MakeHandle(1, 1), Handle: netlink.MakeHandle(2, 0)},
		Rate:       125_000,         // bytes per second
		Buffer:     80_000_000 / 64, // ticks of 64 ns: a burst of 10 000 bytes
		Limit:      1,               // byte
	})
	if err != nil {
		return fmt.Errorf("add tbf: %w", err)
	}
	return nil
}
