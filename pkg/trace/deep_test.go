// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestDeepStacks lowers how deep the kernel unwinds below the depth of any real
// stack: what is there is kept, and what is missing is told.
func TestDeepStacks(t *testing.T) {
	labtest.NeedRoot(t)
	const sysctl = "/proc/sys/kernel/perf_event_max_stack"
	before, err := os.ReadFile(sysctl)
	if err != nil {
		t.Fatal(err)
	}
	// The kernel refuses to change it while somebody may unwind, and frees programs
	// a little after they are closed.
	set := func(value []byte) error {
		var err error
		for range 1000 {
			if err = os.WriteFile(sysctl, value, 0); !errors.Is(err, unix.EBUSY) {
				return err
			}
			time.Sleep(10 * time.Millisecond)
		}
		return err
	}
	t.Cleanup(func() {
		if err := set(before); err != nil {
			t.Error(err)
		}
	})
	if err := set([]byte("9")); err != nil {
		t.Fatal(err)
	}
	flood := newFlood(t, lab.FloodOptions{})
	s := watch(t, trace.Config{}, func() {
		if _, err := flood.Mix(t.Context(), []lab.Burst{{Path: lab.Sendto, Packets: 50}}, 1); err != nil {
			t.Error(err)
		}
	})
	if counted, sampled := s.of(flood.Expect()); counted != 50 || sampled != 50 {
		t.Errorf("counted %d and sampled %d of 50 drops", counted, sampled)
	}
	for i := range s.drops {
		d := &s.drops[i]
		if d.Stack == nil || !d.Stack.Cut || len(d.Stack.Frames) < 2 || len(d.Stack.Frames) > 9 {
			t.Fatalf("stack %+v", d.Stack)
		}
		if d.Stack.Frames[0].Addr != d.Cell.Location.Addr {
			t.Errorf("stack begins with %s, not with the location %s", d.Stack.Frames[0], d.Cell.Location)
		}
	}
	if s.end.Loss.StackCut < 50 || s.end.Loss.StackFailed != 0 {
		t.Errorf("%d stacks cut, %d failed", s.end.Loss.StackCut, s.end.Loss.StackFailed)
	}
}
