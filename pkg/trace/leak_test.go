// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestNothingKept opens and closes tracers that trace, and counts goroutines and memory.
func TestNothingKept(t *testing.T) {
	labtest.NeedRoot(t)
	cycles := 200
	if testing.Short() {
		cycles = 20
	}
	cycle := func(times int) {
		err := atOnce(4, func() (err error) {
			for range times / 4 {
				err = errors.Join(err, openAndClose())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	cycle(12) // what is read once is kept
	goroutines, heap := kept()
	cycle(cycles)
	g, h := kept()
	for wait := 0; wait < 100 && g > goroutines; wait++ {
		time.Sleep(10 * time.Millisecond) // some end a little later
		g, h = kept()
	}
	t.Logf("%d goroutines and %d bytes after %d tracers, %d and %d before", g, h, cycles, goroutines, heap)
	if g > goroutines {
		t.Errorf("%d goroutines more", g-goroutines)
	}
	if slack := uint64(cycles) << 10; h > heap+slack {
		t.Errorf("%d bytes more", h-heap)
	}
}

// kept returns how many goroutines and bytes of heap there are.
func kept() (goroutines int, heap uint64) {
	runtime.GC()
	runtime.GC() // frees what the first one's cleanups let go
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return runtime.NumGoroutine(), memory.HeapAlloc
}

// openAndClose opens a tracer, reads its events and closes it.
func openAndClose() error {
	tracer, err := trace.Open(trace.Config{Stalls: &trace.StallConfig{Echoes: true}})
	if err != nil {
		return err
	}
	failed := tracer.Stop()
	for err == nil {
		_, err = tracer.Next()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(failed, err, tracer.Close())
}
