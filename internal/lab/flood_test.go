// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

func newFlood(t *testing.T, options FloodOptions) *Flood {
	t.Helper()
	labtest.NeedRoot(t)
	n, err := NewNet()
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	f, err := n.NewFlood(options)
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// dropped compares what was sent with what the rule has counted since it read before.
func (f *Flood) dropped(t *testing.T, sent Sent, before uint64) {
	t.Helper()
	after, err := f.Drops()
	if err != nil {
		t.Fatal(err)
	}
	if after-before != sent.Total() {
		t.Errorf("rule counted %d packets, %d were sent", after-before, sent.Total())
	}
}

func TestFloodRun(t *testing.T) {
	for _, hook := range []Hook{Input, Output} {
		f, before := newFlood(t, FloodOptions{Hook: hook, CPU: -1}), uint64(0)
		for path := range numPaths {
			sent, err := f.Run(t.Context(), path, 100*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			f.dropped(t, sent, before)
			before += sent.Total()
			if sent.Total() == 0 || sent.Total() != sent.ByPath[path] {
				t.Errorf("sent by %s only: %v", path, sent.ByPath)
			}
			t.Logf("hook %d, %s: %.0f packets/s", hook, path, float64(sent.Total())/sent.Elapsed.Seconds())
		}
	}
}

func TestFloodMix(t *testing.T) {
	tests := map[string]struct {
		pattern []Burst
		rounds  int
		want    [numPaths]uint64
	}{
		"steady": {[]Burst{{Sendto, 9}, {Write, 1}}, 1000, [numPaths]uint64{Sendto: 9000, Write: 1000}},
		"bursty": {[]Burst{{Sendmsg, 4500}, {Sendto, 500}}, 2, [numPaths]uint64{Sendmsg: 9000, Sendto: 1000}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFlood(t, FloodOptions{Hook: Output})
			sent, err := f.Mix(t.Context(), test.pattern, test.rounds)
			if err != nil {
				t.Fatal(err)
			}
			f.dropped(t, sent, 0)
			if sent.ByPath != test.want {
				t.Errorf("sent %v, want %v", sent.ByPath, test.want)
			}
		})
	}
}

func TestFloodPace(t *testing.T) {
	f := newFlood(t, FloodOptions{Hook: Output})
	sent, err := f.Pace(t.Context(), Sendto, 2000, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	f.dropped(t, sent, 0)
	if sent.Total() != 600 {
		t.Errorf("sent %d packets, want 600", sent.Total())
	}
	if sent.Elapsed < 290*time.Millisecond {
		t.Errorf("took %v, want 300ms", sent.Elapsed)
	}
}

func TestFloodStops(t *testing.T) {
	f := newFlood(t, FloodOptions{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	sent, err := f.Run(ctx, Sendto, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	f.dropped(t, sent, 0)
}

func TestFloodDoesNotAllocate(t *testing.T) {
	f := newFlood(t, FloodOptions{Hook: Output})
	var sent Sent
	for path := range numPaths {
		allocs := testing.AllocsPerRun(10, func() {
			if err := f.burst(Burst{path, 100}, &sent); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations for 100 packets", path, allocs)
		}
	}
}

// TestFloodStacks tells paths apart by the stacks of the packets that died.
func TestFloodStacks(t *testing.T) {
	f := newFlood(t, FloodOptions{Hook: Output})
	c := newChecker(t)
	c.tracer.watch(f.net)
	defer c.tracer.unwatch(f.net)
	want := [numPaths]uint64{Sendto: 90, Sendmsg: 7, Write: 3}
	pattern := []Burst{{Sendto, 90}, {Sendmsg, 7}, {Write, 3}}
	if _, err := f.Mix(t.Context(), pattern, 10); err != nil {
		t.Fatal(err)
	}
	var got [numPaths]uint64
	for _, d := range c.tracer.deaths(f.net) {
		stack := d.stack(c.symbols)
		if looks := d.expect(f.net, f.Expect(), c.symbols, c.reasons); describe(looks) != describe(f.Expect()) {
			t.Fatalf("got %s, want %s", describe(looks), describe(f.Expect()))
		}
		for path := range numPaths {
			if len((Expect{Frames: path.Frames()}).MissingFrames(stack)) == 0 {
				got[path]++
			}
		}
	}
	for path := range numPaths {
		if got[path] != 10*want[path] {
			t.Errorf("%d packets died by %s, want %d", got[path], path, 10*want[path])
		}
	}
}
