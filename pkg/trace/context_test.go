// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"os"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestContexts: a packet that dies in its own system call is seen in the context of
// its process, one that dies after a hop over veth in a softirq over it.
func TestContexts(t *testing.T) {
	for hook, want := range map[lab.Hook]event.Context{lab.Output: event.ContextProcess, lab.Input: event.ContextSoftirq} {
		t.Run(want.String(), func(t *testing.T) {
			flood := newFlood(t, lab.FloodOptions{Hook: hook})
			s := watch(t, trace.Config{}, func() {
				if _, err := flood.Mix(t.Context(), []lab.Burst{{Path: lab.Sendto, Packets: 100}}, 1); err != nil {
					t.Error(err)
				}
			})
			comm, err := os.ReadFile("/proc/self/comm")
			if err != nil {
				t.Fatal(err)
			}
			matched, asWanted := 0, 0
			for i := range s.drops {
				d := &s.drops[i]
				if !matches(d.Cell, flood.Expect()) {
					continue
				}
				matched++
				if d.Context == want {
					asWanted++
				}
				own := int(d.Task.TGID) == os.Getpid() && d.Task.Comm == strings.TrimSpace(string(comm))
				if d.Context == event.ContextProcess && (!own || d.Task.PID == 0) {
					t.Errorf("task %+v, want process %d", d.Task, os.Getpid())
				}
			}
			// An interrupt may have its softirq drop a packet over whatever runs then.
			if matched != 100 || hook == lab.Output && asWanted != 100 || asWanted < 90 {
				t.Errorf("%d of %d drops in %s context", asWanted, matched, want)
			}
		})
	}
}

// TestTick yields counts at the start and then once a second, whether anything is
// dropped or not.
func TestTick(t *testing.T) {
	labtest.NeedRoot(t)
	tracer, err := trace.Open(trace.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := watchBy(t, tracer, func(s *seen) { s.await(3) })
	if s.end.Time < 2_000_000_000 {
		t.Errorf("three ticks within %s", s.end.Time)
	}
}

// TestNothingLeft opens and closes tracers, and counts descriptors and mappings.
func TestNothingLeft(t *testing.T) {
	labtest.NeedRoot(t)
	cycle := func() {
		tracer, err := trace.Open(trace.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := tracer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	count := func() (files, maps int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		mappings, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries), strings.Count(string(mappings), "bpf-map")
	}
	cycle() // what the runtime opens once
	files, maps := count()
	for range 10 {
		cycle()
	}
	if f, m := count(); f > files || m > maps {
		t.Errorf("%d descriptors and %d mapped maps after ten cycles, %d and %d before", f, m, files, maps)
	}
}
