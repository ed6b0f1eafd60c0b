// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"testing"
	"time"
)

func TestBusiest(t *testing.T) {
	var p pace
	start := time.Unix(0, 0)
	if got := p.busiest(start, []uint64{5, 1000}); got != 0 {
		t.Errorf("the first check returns %v", got)
	}
	if got := p.busiest(start.Add(100*time.Millisecond), []uint64{25, 1100}); got != 1000 {
		t.Errorf("100 runs in 100 ms are %v per second", got)
	}
	if got := p.busiest(start.Add(200*time.Millisecond), []uint64{0, 1100, 77}); got != 0 {
		t.Errorf("after a count that fell and a new CPU the rate is %v", got)
	}
}

func TestSoftirqCounts(t *testing.T) {
	counts := softirqCounts()
	var sum uint64
	for _, n := range counts {
		sum += n
	}
	if len(counts) == 0 || sum == 0 {
		t.Errorf("counts are %v", counts)
	}
}
