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
	for range 10 { // what is read once is kept
		openAndClose(t)
	}
	goroutines, heap := kept()
	for range cycles {
		openAndClose(t)
	}
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

// openAndClose has a tracer trace and tell.
func openAndClose(t *testing.T) {
	t.Helper()
	tracer, err := trace.Open(trace.Config{Stalls: &trace.StallConfig{Echoes: true}})
	if err != nil {
		t.Fatal(err)
	}
	if err := tracer.Stop(); err != nil {
		t.Error(err)
	}
	for err == nil {
		_, err = tracer.Next()
	}
	if !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if err := tracer.Close(); err != nil {
		t.Error(err)
	}
}
