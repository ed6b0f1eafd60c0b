// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// memoryGroup is a cgroup whose processes, and what the kernel holds for them, may take
// so much memory and no more.
type memoryGroup struct {
	dir   string
	files memoryFiles
}

// memoryFiles are what a version of cgroups calls its files.
type memoryFiles struct{ limit, now, most string }

func newMemoryGroup(t *testing.T, bytes int) memoryGroup {
	t.Helper()
	parent, files, err := memoryController()
	labtest.Need(t, err)
	g := memoryGroup{filepath.Join(parent, "dropwatch-test-"+strconv.Itoa(os.Getpid())), files}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := os.Remove(g.dir)
		for try := 0; err != nil && try < 100; try++ { // busy while its last process goes
			time.Sleep(20 * time.Millisecond)
			err = os.Remove(g.dir)
		}
		if err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(g.dir, files.limit), []byte(strconv.Itoa(bytes)), 0); err != nil {
		t.Fatal(err)
	}
	return g
}

// memoryController returns where a cgroup with a memory limit can be made: below this
// process's own in version 1; in version 2 at the root, since a group with processes may
// not share memory out (Documentation/admin-guide/cgroup-v2.rst).
func memoryController() (dir string, files memoryFiles, err error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", files, err
	}
	for line := range strings.Lines(string(own)) {
		if _, path, ok := strings.Cut(strings.TrimSpace(line), ":memory:"); ok {
			return filepath.Join("/sys/fs/cgroup/memory", path),
				memoryFiles{"memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes"}, nil
		}
	}
	shared, err := os.ReadFile("/sys/fs/cgroup/cgroup.subtree_control")
	if err != nil || !strings.Contains(string(shared), "memory") {
		return "", files, fmt.Errorf("no cgroup with a memory limit can be made: %w", errors.ErrUnsupported)
	}
	return "/sys/fs/cgroup", memoryFiles{"memory.max", "memory.current", "memory.peak"}, nil
}

// wrap returns a command line that joins the group before it becomes args.
func (g memoryGroup) wrap(args []string) []string {
	return append([]string{"/bin/sh", "-c", `echo $$ >"$0" && exec "$@"`, filepath.Join(g.dir, "cgroup.procs")}, args...)
}

// now is what its processes take, in bytes.
func (g memoryGroup) now(t *testing.T) uint64 { return g.read(t, g.files.now) }

// most is the most they have taken at a time, in bytes.
func (g memoryGroup) most(t *testing.T) uint64 { return g.read(t, g.files.most) }

func (g memoryGroup) read(t *testing.T, name string) uint64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// watchMemory tells what the group takes each half a minute while do runs, and fails if
// that grows after the first.
func watchMemory(t *testing.T, group memoryGroup, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { do(); close(done) }()
	const slack = 12 << 20 // the heap doubles before garbage is collected
	var first uint64
	start := time.Now()
	for half := time.NewTicker(30 * time.Second); ; {
		select {
		case <-done:
			half.Stop()
			t.Logf("%d kB after %v, at most %d kB", group.now(t)>>10, time.Since(start).Round(time.Second), group.most(t)>>10)
			return
		case <-half.C:
		}
		now := group.now(t)
		t.Logf("%d kB after %v", now>>10, time.Since(start).Round(time.Second))
		if first == 0 {
			first = now
		}
		if now > first+slack {
			t.Errorf("memory grows: %d bytes, was %d", now, first)
		}
	}
}
