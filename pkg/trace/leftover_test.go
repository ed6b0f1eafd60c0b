// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestCycles attaches and detaches a thousand times, or a few where nobody waits for it,
// and looks for what is left of it in the kernel and in this process.
func TestCycles(t *testing.T) {
	labtest.NeedRoot(t)
	cycles := 20
	if os.Getenv("DROPWATCH_CI") != "" {
		cycles = 1000
	}
	if err := atOnce(4, func() error { return trace.Cycle(1) }); err != nil { // what the runtime opens once
		t.Fatal(err)
	}
	files, objects := openFiles(t), inKernel(t)
	if err := atOnce(4, func() error { return trace.Cycle(cycles / 4) }); err != nil {
		t.Fatal(err)
	}
	if n := openFiles(t); n > files {
		t.Errorf("%d descriptors after %d cycles, %d before", n, cycles, files)
	}
	// The kernel frees maps and programs some time after they are closed.
	for deadline := time.Now().Add(20 * time.Second); inKernel(t) > objects; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d programs and maps after %d cycles, %d before", inKernel(t), cycles, objects)
		}
	}
}

// atOnce runs a function in n goroutines: attaching and detaching mostly wait for RCU grace
// periods.
func atOnce(n int, f func() error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = f() })
	}
	all.Wait()
	return errors.Join(errs...)
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// inKernel counts the kernel's programs and maps of dropwatch's names. A link holds its
// program.
func inKernel(t *testing.T) (n int) {
	t.Helper()
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		id = next
		p, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue // gone since
		}
		if info, err := p.Info(); err == nil && strings.HasPrefix(info.Name, "kfree_skb_") {
			n++
		}
		_ = p.Close()
	}
	for id := ebpf.MapID(0); ; {
		next, err := ebpf.MapGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		id = next
		m, err := ebpf.NewMapFromID(id)
		if err != nil {
			continue // gone since
		}
		if info, err := m.Info(); err == nil && slices.Contains([]string{"samples", "cells", "stats"}, info.Name) {
			n++
		}
		_ = m.Close()
	}
}
