// SPDX-License-Identifier: Apache-2.0

//go:build linux && guest

package ledger_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// defers has the driver look into the ring once a second, with interrupts off, so that a
// burst is over by then. It begins when the next packet has come.
//
// Needs kernel 5.8+ (6f8b12d661d0, napi_defer_hard_irqs) and a driver that heeds what
// napi_complete_done returns.
func (n *nic) defers(t *testing.T) {
	t.Helper()
	n.set(t, "gro_flush_timeout", strconv.FormatInt(time.Second.Nanoseconds(), 10))
	n.set(t, "napi_defer_hard_irqs", "1000")
}

// threaded has threads look into the ring, for starve.
//
// Needs kernel 5.12+ (29863d41bb6e, threaded NAPI).
func (n *nic) threaded(t *testing.T) {
	t.Helper()
	n.set(t, "threaded", "1")
	n.starved = true
}

// set writes to a file of the device, and 0 when the test is over.
func (n *nic) set(t *testing.T, file, value string) {
	t.Helper()
	write(t, n.file(file), value)
	t.Cleanup(func() { write(t, n.file(file), "0") })
}

// starve runs do on CPU 0, where the NIC's threads have to wait as long as do does not
// sleep: its thread is a real-time one.
func (n *nic) starve(t *testing.T, do func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, only unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	only.Set(0)
	for _, thread := range append(n.threads(t), 0) { // 0 is this one
		if err := unix.SchedSetaffinity(thread, &only); err != nil {
			t.Fatal(err)
		}
	}
	defer unix.SchedSetaffinity(0, &before)
	if err := unix.SchedSetAttr(0, &unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 1}, 0); err != nil {
		t.Fatal(err)
	}
	defer unix.SchedSetAttr(0, &unix.SchedAttr{Policy: unix.SCHED_NORMAL}, 0)
	do()
}

// threads returns those that poll the NIC's queues.
func (n *nic) threads(t *testing.T) (threads []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, _ := os.ReadFile(file) // the process may have ended
		if !strings.HasPrefix(string(name), "napi/"+n.name+"-") {
			continue
		}
		thread, err := strconv.Atoi(strings.Split(file, "/")[2])
		if err != nil {
			t.Fatal(err)
		}
		threads = append(threads, thread)
	}
	if threads == nil {
		t.Fatalf("no thread polls %s", n.name)
	}
	return threads
}
