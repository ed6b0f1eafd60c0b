// SPDX-License-Identifier: Apache-2.0

//go:build linux && guest

package ledger_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/safchain/ethtool"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/finding"
	"github.com/dropwatch/dropwatch/pkg/ledger"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// sender is the driver of the NIC that sends to the others.
const sender = "virtio_net"

const missedErrors = "rx_missed_errors"

// frames is how long a burst is: longer than the rings that are to overflow, shorter
// than the largest that pcnet32 can have.
const frames = 300

// TestRingOverflow sends more frames than a ring has descriptors, to NICs whose models
// in QEMU drop the others and count each of them once.
func TestRingOverflow(t *testing.T) {
	from := newNIC(t, sender, event.CounterLink, missedErrors)
	for _, test := range []struct {
		driver string
		source event.CounterSource
		lost   string // counter
		ring   uint32 // descriptors at first; 0: the driver has but one number of them
		// neglect keeps the driver from its ring during a burst.
		neglect func(*nic, *testing.T)
	}{
		{"pcnet32", event.CounterLink, missedErrors, 32, (*nic).defers},
		{"8139cp", event.CounterLink, missedErrors, 0, (*nic).defers},
		{"vmxnet3", event.CounterDriver, "pkts rx OOB", 32, (*nic).threaded},
	} {
		t.Run(test.driver, func(t *testing.T) {
			to := newNIC(t, test.driver, test.source, test.lost)
			if test.ring > 0 {
				resize(t, to, test.ring)
			}
			test.neglect(to, t)
			from.burst(t, to, 1)
			var missed uint64
			s := watch(t, func() { missed = from.burst(t, to, frames) })
			t.Logf("%d of %d frames missed", missed, frames)
			compare(t, s, to, missed)
			f := s.finding(t, "rx-ring", to.name)
			t.Logf("%s: %s %v", f.Severity, f.Explain, f.Fix)
			grows := test.ring > 0
			if !f.Severity.AtLeast(finding.Warning) || (len(f.Fix) > 0) != grows {
				t.Errorf("severity %s, fix %v; want a warning, and a fix: %t", f.Severity, f.Fix, grows)
			}
			if !grows {
				return
			}
			enlarge(t, to, f)
			from.burst(t, to, 1)
			if again := from.burst(t, to, frames); again >= missed {
				t.Errorf("%d of %d frames missed after %v, %d before", again, frames, f.Fix, missed)
			}
		})
	}
}

// compare looks for each frame of a burst in the ledger: those that found no descriptor
// as unseen, those that nobody wanted as traced.
func compare(t *testing.T, s *seen, n *nic, missed uint64) {
	t.Helper()
	if missed == 0 || missed == frames {
		t.Fatalf("%s missed %d of %d frames", n.name, missed, frames)
	}
	for _, test := range []struct{ got, want ledger.Row }{
		{s.row(n.lost.Source, n.name, n.lost.Name), ledger.Row{Delta: missed, Unseen: missed, Packets: missed}},
		{s.row(event.CounterLink, n.name, "rx_dropped"), ledger.Row{Delta: frames - missed, Traced: frames - missed, Benign: frames - missed}},
	} {
		test.want.Counter = test.got.Counter
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	want := []string{fmt.Sprintf("[nic] %s;%s %d", n.name, n.lost.Name, missed)}
	if got := s.folded(t, "[nic] "+n.name); !slices.Equal(got, want) {
		t.Errorf("stacks %q, want %q", got, want)
	}
}

// enlarge does what a finding's fix says, after a look at the undo, and checks that it
// had the effect.
func enlarge(t *testing.T, n *nic, f finding.Finding) {
	t.Helper()
	now := ring(t, n)
	command := func(rx uint32) []string { return []string{fmt.Sprintf("ethtool -G %s rx %d", n.name, rx)} }
	if !slices.Equal(f.Fix, command(now.RxMax)) || !slices.Equal(f.Undo, command(now.Rx)) {
		t.Fatalf("fix %v, undo %v of a ring %+v", f.Fix, f.Undo, now)
	}
	resize(t, n, now.RxMax)
	if then := ring(t, n); then.Rx != now.RxMax {
		t.Errorf("ring %+v after %v", then, f.Fix)
	}
}

// ring is what the state of this node says of a NIC's.
func ring(t *testing.T, n *nic) node.Ring {
	t.Helper()
	link, ok := state(t).Namespaces[0].Find(n.name)
	if !ok {
		t.Fatalf("no %s", n.name)
	}
	return link.Device.Ring
}

// resize is ethtool -G NIC rx DESCRIPTORS.
func resize(t *testing.T, n *nic, descriptors uint32) {
	t.Helper()
	e, err := ethtool.NewEthtool()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ring, err := e.GetRing(n.name)
	if err != nil {
		t.Fatal(err)
	}
	ring.RxPending = descriptors
	if _, err := e.SetRing(n.name, ring); err != nil {
		t.Fatal(err)
	}
}

// TestRingSizes reads the rings of each kind of NIC there is.
func TestRingSizes(t *testing.T) {
	ns := state(t).Namespaces[0]
	for _, driver := range []string{"virtio_net", "e1000", "e1000e", "vmxnet3", "pcnet32", "8139cp"} {
		link, _ := ns.Find(driven(t, driver))
		if ring := link.Device.Ring; link.Device.Driver != driver || ring.Rx == 0 || ring.Rx > ring.RxMax {
			t.Errorf("%s: device %+v", driver, link.Device)
		}
	}
}
