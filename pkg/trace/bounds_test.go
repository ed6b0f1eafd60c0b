// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestCellsFull: what finds no room is counted all the same, and sampled.
func TestCellsFull(t *testing.T) {
	labtest.NeedRoot(t)
	var want uint64
	var expects []lab.Expect
	s := watch(t, trace.Config{CellsPerCPU: 2}, func() {
		for _, name := range []string{"udp-closed-port", "nft-input", "tcp-closed-port", "unknown-ethertype", "xdp-generic"} {
			out, err := scenario(t, name).Run(t.Context(), 50)
			if err != nil {
				t.Error(err)
				return
			}
			want += out.Expect.Drops
			expects = append(expects, out.Expect)
		}
	})
	if s.end.Totals.Drops < want || s.end.Loss.Overflow == 0 {
		t.Errorf("counted %d drops, %d of them past the room for cells; the lab made %d", s.end.Totals.Drops, s.end.Loss.Overflow, want)
	}
	spilled := 0
	for _, e := range expects {
		counted, sampled := s.of(e)
		if sampled != e.Drops {
			t.Errorf("%v: %d of %d drops sampled", e.Reasons, sampled, e.Drops)
		}
		if counted < e.Drops {
			spilled++
		}
	}
	// Two CPUs with room for one cell each.
	if spilled < 3 {
		t.Errorf("%d kinds of drops were counted in the overflow cell, want at least 3", spilled)
	}
}

func scenario(t *testing.T, name string) lab.Scenario {
	t.Helper()
	for _, s := range lab.Scenarios() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no scenario %s", name)
	return lab.Scenario{}
}

// TestRingFull: a ring buffer of a page loses samples, but no counts.
func TestRingFull(t *testing.T) {
	flood := newFlood(t, lab.FloodOptions{})
	const drops = 200_000
	s := watch(t, trace.Config{RingBytes: 1, Exact: true}, func() {
		if _, err := flood.Mix(t.Context(), []lab.Burst{{Path: lab.Sendto, Packets: drops}}, 1); err != nil {
			t.Error(err)
		}
	})
	counted, sampled := s.of(flood.Expect())
	if counted != drops {
		t.Errorf("counted %d of %d drops", counted, drops)
	}
	if s.end.Loss.RingFull == 0 || s.end.Loss.RingFull+s.end.Totals.Sampled < drops || sampled > drops {
		t.Errorf("%d samples and %d lost ones of %d drops", s.end.Totals.Sampled, s.end.Loss.RingFull, drops)
	}
}

// TestExact unwinds every drop, and loses none at a rate that fits the machine.
func TestExact(t *testing.T) {
	flood := newFlood(t, lab.FloodOptions{})
	s := watch(t, trace.Config{Exact: true, RingBytes: 64 << 20}, func() {
		for range 20 {
			if _, err := flood.Mix(t.Context(), []lab.Burst{{Path: lab.Sendto, Packets: 1000}}, 1); err != nil {
				t.Error(err)
			}
		}
	})
	counted, sampled := s.of(flood.Expect())
	if counted != 20_000 || sampled != 20_000 {
		t.Errorf("counted %d and sampled %d of 20000 drops", counted, sampled)
	}
	for i := range s.drops {
		if s.drops[i].Drops != 1 {
			t.Fatalf("a sample stands for %d drops", s.drops[i].Drops)
		}
	}
}

// TestComeAndGo: devices and namespaces that vanish take no count with them. The
// kernel gives a new namespace the inode number of one that is gone, and then the
// two are one to a tracer.
func TestComeAndGo(t *testing.T) {
	labtest.NeedRoot(t)
	expects := map[uint32]lab.Expect{}
	s := watch(t, trace.Config{}, func() {
		for range 25 {
			out, err := scenario(t, "udp-closed-port").Run(t.Context(), 20)
			if err != nil {
				t.Error(err)
				return
			}
			sum := out.Expect
			sum.Drops += expects[sum.Netns].Drops
			expects[sum.Netns] = sum
		}
	})
	for netns, e := range expects {
		if counted, sampled := s.of(e); counted != e.Drops || sampled != e.Drops {
			t.Errorf("netns %d: counted %d and sampled %d of %d drops", netns, counted, sampled, e.Drops)
		}
	}
}

// TestCellsFreed has more devices come that drop than there is room for, under a storm:
// nothing is counted past the room for cells, and nothing is lost or counted for another.
func TestCellsFreed(t *testing.T) {
	flood := newFlood(t, lab.FloodOptions{CPU: 1})
	n, err := lab.NewNet()
	labtest.Need(t, err)
	defer n.Close()
	tracer, err := trace.Open(trace.Config{CellsPerCPU: 16})
	if err != nil {
		t.Fatal(err)
	}
	tracer.FreeSoon()
	const rounds, devices, packets = 5, 6, 20
	want := map[int]uint64{} // by device
	known := 0
	s := watchBy(t, tracer, func(s *seen) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { _, err := flood.Run(ctx, lab.Sendto, time.Minute); done <- err }()
		for i := range rounds * devices {
			err := n.Rx.Do(func() error {
				device, err := dropWithin(fmt.Sprintf("down%d", i), packets)
				want[device] = packets
				return err
			})
			if err != nil {
				t.Error(err)
			}
			if i%devices == devices-1 {
				s.await(4) // it rests, no program finds it any more, it is freed
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		known = tracer.Named()
	})
	got := map[int]uint64{}
	for _, c := range s.in(n.Rx.Netns) {
		if want[c.Cell.Device.Index] > 0 {
			got[c.Cell.Device.Index] += c.Drops
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("drops by device (-want +got):\n%s", diff)
	}
	stormy, err := flood.Drops()
	if err != nil {
		t.Fatal(err)
	}
	if counted, _ := s.of(flood.Expect()); counted != stormy || stormy < 100_000 {
		t.Errorf("counted %d drops of the storm, nft %d", counted, stormy)
	}
	if s.end.Loss.Overflow != 0 || known > rounds*devices-devices {
		t.Errorf("%d drops past the room for cells; of %d kinds %d were known at the end", s.end.Loss.Overflow, len(s.counts), known)
	}
}

// TestSnaplen keeps as much of each packet as was asked for, and no more.
func TestSnaplen(t *testing.T) {
	labtest.NeedRoot(t)
	for _, snaplen := range []int{0, 20, 60, trace.MaxSnaplen} {
		flood := newFlood(t, lab.FloodOptions{Payload: 1000})
		s := watch(t, trace.Config{Snaplen: snaplen}, func() {
			if _, err := flood.Mix(t.Context(), []lab.Burst{{Path: lab.Sendto, Packets: 10}}, 1); err != nil {
				t.Error(err)
			}
		})
		want := min(snaplen, 14+20+8+1000)
		checked := 0
		for i := range s.drops {
			if d := &s.drops[i]; matches(d.Cell, flood.Expect()) {
				checked++
				if len(d.Bytes) != want {
					t.Fatalf("snaplen %d: %d bytes, want %d", snaplen, len(d.Bytes), want)
				}
			}
		}
		if checked != 10 {
			t.Errorf("snaplen %d: %d samples, want 10", snaplen, checked)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for name, config := range map[string]trace.Config{
		"negative budget":  {UnwindBudget: -1},
		"negative snaplen": {Snaplen: -1},
		"huge snaplen":     {Snaplen: trace.MaxSnaplen + 1},
	} {
		if tracer, err := trace.Open(config); err == nil || tracer != nil {
			t.Errorf("%s was taken", name)
		}
	}
}
