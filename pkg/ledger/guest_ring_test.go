// SPDX-License-Identifier: Apache-2.0

//go:build linux && guest

package ledger_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/safchain/ethtool"

	"github.com/dropwatch/dropwatch/pkg/finding"
	"github.com/dropwatch/dropwatch/pkg/ledger"
)

// sender is the driver of the NIC that sends to the others.
const sender = "virtio_net"

// frames is how long a burst is: longer than the rings that are to overflow, shorter
// than the largest that pcnet32 can have.
const frames = 300

// TestRingOverflow sends more frames than a ring has descriptors, to NICs whose models
// in QEMU drop the others and count each of them once.
func TestRingOverflow(t *testing.T) {
	from := newNIC(t, sender)
	for _, test := range []struct {
		driver string
		fix    bool // the ring can be larger
	}{
		{"pcnet32", true},
		{"8139cp", false},
	} {
		t.Run(test.driver, func(t *testing.T) {
			to := newNIC(t, test.driver)
			to.neglect(t)
			from.burst(t, to, 1)
			var missed uint64
			s := watch(t, func() { missed = from.burst(t, to, frames) })
			t.Logf("%d of %d frames missed", missed, frames)
			compare(t, s, to, missed)
			f := s.finding(t, "rx-ring", to.name)
			t.Logf("%s: %s %v", f.Severity, f.Explain, f.Fix)
			if !f.Severity.AtLeast(finding.Warning) || (len(f.Fix) > 0) != test.fix {
				t.Errorf("severity %s, fix %v; want a warning, and a fix: %t", f.Severity, f.Fix, test.fix)
			}
			if !test.fix {
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
func compare(t *testing.T, s *seen, n nic, missed uint64) {
	t.Helper()
	if missed == 0 || missed == frames {
		t.Fatalf("%s missed %d of %d frames", n.name, missed, frames)
	}
	for name, want := range map[string]ledger.Row{
		"rx_missed_errors": {Delta: missed, Unseen: missed},
		"rx_dropped":       {Delta: frames - missed, Traced: frames - missed},
	} {
		got := s.row(n.name, name)
		want.Counter = got.Counter
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	want := []string{fmt.Sprintf("[nic] %s;rx_missed_errors %d", n.name, missed)}
	if got := s.folded(t, "[nic] "+n.name); !slices.Equal(got, want) {
		t.Errorf("stacks %q, want %q", got, want)
	}
}

// enlarge does what a finding's fix says, checks that it had the effect, and that the
// undo would restore what was.
func enlarge(t *testing.T, n nic, f finding.Finding) {
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
	command := func(rx uint32) []string { return []string{fmt.Sprintf("ethtool -G %s rx %d", n.name, rx)} }
	if !slices.Equal(f.Fix, command(ring.RxMaxPending)) || !slices.Equal(f.Undo, command(ring.RxPending)) {
		t.Fatalf("fix %v, undo %v of a ring of %d of %d", f.Fix, f.Undo, ring.RxPending, ring.RxMaxPending)
	}
	ring.RxPending = ring.RxMaxPending
	if _, err := e.SetRing(n.name, ring); err != nil {
		t.Fatal(err)
	}
	link, _ := state(t).Namespaces[0].Find(n.name)
	if link.Device.Ring.Rx != ring.RxMaxPending {
		t.Errorf("ring %+v after %v", link.Device.Ring, f.Fix)
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
