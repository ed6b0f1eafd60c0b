// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// newFlood makes a flood in a net of its own; the test's end clears both away.
func newFlood(t *testing.T, options lab.FloodOptions) *lab.Flood {
	t.Helper()
	labtest.NeedRoot(t)
	net, err := lab.NewNet()
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := net.Close(); err != nil {
			t.Error(err)
		}
	})
	flood, err := net.NewFlood(options)
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := flood.Close(); err != nil {
			t.Error(err)
		}
	})
	return flood
}

// TestShares has two stacks fall into one cell, 90 to 10, far above the budget.
func TestShares(t *testing.T) {
	for name, pattern := range map[string][]lab.Burst{
		"steady": {{Path: lab.Sendto, Packets: 9}, {Path: lab.Write, Packets: 1}},
		"bursts": {{Path: lab.Sendto, Packets: 9000}, {Path: lab.Write, Packets: 1000}},
	} {
		t.Run(name, func(t *testing.T) {
			flood := newFlood(t, lab.FloodOptions{CPU: 0, Hook: lab.Output})
			rounds := 2_000_000 / (pattern[0].Packets + pattern[1].Packets)
			s := watch(t, trace.Config{}, func() {
				if _, err := flood.Mix(t.Context(), pattern, rounds); err != nil {
					t.Error(err)
				}
			})
			want, err := flood.Drops()
			if err != nil {
				t.Fatal(err)
			}
			counted, sampled := s.of(flood.Expect())
			if counted != want || want < 1_000_000 {
				t.Errorf("counted %d drops, nft %d", counted, want)
			}
			var weight, rare, samples uint64
			for i := range s.drops {
				d := &s.drops[i]
				if d.Cell.Netns.Inode != flood.Expect().Netns {
					continue
				}
				samples++
				weight += d.Drops
				if (lab.Expect{Frames: lab.Write.Frames()}).MissingFrames(symbols(d.Stack)) == nil {
					rare += d.Drops
				}
			}
			share := float64(rare) / float64(weight)
			t.Logf("%d drops, %d samples that stand for %d, share %.4f", counted, samples, sampled, share)
			if math.Abs(share-0.1) > 0.02 {
				t.Errorf("the rarer stack's share is %.3f, want 0.100", share)
			}
			if off := math.Abs(float64(weight)/float64(counted) - 1); off > 0.02 {
				t.Errorf("samples stand for %d of %d drops", weight, counted)
			}
		})
	}
}

// of returns how many drops like want were counted, and how many samples stand for.
func (s *seen) of(want lab.Expect) (counted, sampled uint64) {
	for _, c := range s.in(want.Netns) {
		if matches(c.Cell, want) {
			counted += c.Drops
		}
	}
	for i := range s.drops {
		if d := &s.drops[i]; matches(d.Cell, want) {
			sampled += d.Drops
		}
	}
	return counted, sampled
}

// TestRareBesideStorm: each drop of a rare kind is unwound, whatever else goes on.
func TestRareBesideStorm(t *testing.T) {
	const large = 500_000
	storm := newFlood(t, lab.FloodOptions{CPU: 0})
	rare := newFlood(t, lab.FloodOptions{CPU: 1})
	s := watch(t, trace.Config{}, func() {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { _, err := storm.Run(ctx, lab.Sendto, time.Minute); done <- err }()
		if _, err := rare.Pace(ctx, lab.Sendto, 10, 3*time.Second); err != nil {
			t.Error(err)
		}
		for ctx.Err() == nil && len(done) == 0 { // beside other work it takes longer
			if n, err := storm.Drops(); err != nil || n >= large {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	stormy, err := storm.Drops()
	if err != nil {
		t.Fatal(err)
	}
	if counted, _ := s.of(storm.Expect()); counted != stormy || stormy < large {
		t.Errorf("counted %d drops of the storm, nft %d", counted, stormy)
	}
	counted, sampled := s.of(rare.Expect())
	if counted != 30 || sampled != 30 {
		t.Errorf("counted %d and sampled %d of 30 rare drops", counted, sampled)
	}
	for i := range s.drops {
		if d := &s.drops[i]; d.Cell.Netns.Inode == rare.Expect().Netns && d.Drops != 1 {
			t.Errorf("a rare sample stands for %d drops", d.Drops)
		}
	}
}

// TestAfterStorm: a cell that was busy and becomes rare is sampled at once.
func TestAfterStorm(t *testing.T) {
	flood := newFlood(t, lab.FloodOptions{CPU: 0})
	var begin time.Time
	tracer, err := trace.Open(trace.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := watchBy(t, tracer, func(s *seen) {
		if _, err := flood.Run(t.Context(), lab.Sendto, 2*time.Second); err != nil {
			t.Error(err)
		}
		// The second tick sees no drop, and brings the cell's next sample forward. By the third
		// the window of 2^30 ns that the storm ended in is over as well: what the storm dropped
		// in a window counts for the length of blocks in the next one.
		s.await(3)
		begin = time.Now()
		if _, err := flood.Pace(t.Context(), lab.Sendto, 10, time.Second); err != nil {
			t.Error(err)
		}
	})
	samples := 0
	for i := range s.drops {
		d := &s.drops[i]
		if matches(d.Cell, flood.Expect()) && tracer.Meta().Start.Add(d.Time).After(begin) {
			samples++
		}
	}
	if samples != 10 {
		t.Errorf("%d of 10 drops after the storm were sampled", samples)
	}
}
