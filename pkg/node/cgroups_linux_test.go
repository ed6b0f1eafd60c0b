// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestDyingCgroupsLive has groups die that sockets hold, in the hierarchy with the memory
// controller, and in version 2 beside it.
func TestDyingCgroupsLive(t *testing.T) {
	labtest.NeedRoot(t)
	root := Root{os.DirFS("/")}
	file, ok := root.memoryStat()
	if !ok {
		labtest.Need(t, fmt.Errorf("find memory.stat below %s: %w", cgroupMounts, errors.ErrUnsupported))
	}
	dirs := []string{filepath.Dir(file)}
	if dir := filepath.Join(cgroupMounts, "unified"); dirs[0] != dir {
		if _, err := os.Stat(filepath.Join(dir, "cgroup.stat")); err == nil {
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range dirs {
		t.Run(dir, func(t *testing.T) { testDying(t, root, dir) })
	}
}

func testDying(t *testing.T, root Root, dir string) {
	const many = 20
	count := func() int {
		found, ok := root.dying(filepath.Join(dir, "memory.stat"))
		if !ok {
			t.Fatalf("the number of dying cgroups below %s is unknown", dir)
		}
		return found.count
	}
	before := count()
	free := holdGroups(t, dir, many)
	await(t, func() string {
		if now := count(); now < before+many {
			return fmt.Sprintf("%d die, %d before %d more were held", now, before, many)
		}
		return ""
	})
	t.Logf("%d, then %s", before, root.DyingCgroups(filepath.Join(dir, "memory.stat")))
	free()
	await(t, func() string {
		if now := count(); now >= before+many {
			return fmt.Sprintf("%d die, %d before; none is held any more", now, before)
		}
		return ""
	})
}

// await calls complaint until it returns an empty string.
func await(t *testing.T, complaint func() string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		switch said := complaint(); {
		case said == "":
			return
		case time.Now().After(deadline):
			t.Fatal(said)
		}
	}
}

// groupsToHold makes this test program the process that holds groups.
const groupsToHold = "DROPWATCH_TEST_GROUPS"

// holdGroups makes groups, has a process open a TCP socket in each, which holds it
// (sk_cgrp_data in version 2, sk_memcg in version 1), and removes them.
func holdGroups(t *testing.T, dir string, many int) (free func()) {
	t.Helper()
	var groups []string
	for i := range many {
		group := filepath.Join(dir, fmt.Sprintf("dropwatch-dying-%d-%d", os.Getpid(), i))
		if err := os.Mkdir(group, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(group) })
		// In version 1 sockets are counted from the first limit on.
		err := os.WriteFile(filepath.Join(group, "memory.kmem.tcp.limit_in_bytes"), []byte("1000000000"), 0)
		if err != nil && !errors.Is(err, os.ErrPermission) && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		groups = append(groups, group)
	}
	holder := exec.Command("/proc/self/exe", "-test.run", "^TestHoldGroups$")
	holder.Env = append(os.Environ(), groupsToHold+"="+strings.Join(append(groups, dir), " "))
	input, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	free = func() { input.Close(); _ = holder.Wait() } // also when it has ended
	t.Cleanup(free)
	if _, err := output.Read(make([]byte, 1)); err != nil {
		t.Fatalf("hold groups: %v", err)
	}
	for _, group := range groups {
		await(t, func() string { // busy until the holder has left
			if err := os.Remove(group); err != nil {
				return err.Error()
			}
			return ""
		})
	}
	return free
}

// TestHoldGroups is the process that holds groups; it stays in the last one.
func TestHoldGroups(t *testing.T) {
	for _, group := range strings.Fields(os.Getenv(groupsToHold)) {
		err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getenv(groupsToHold) != "" {
		fmt.Print("r")
		_, _ = os.Stdin.Read(make([]byte, 1)) // until its input ends
	}
}
