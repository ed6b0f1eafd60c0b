// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
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

// TestCgroupOfTask asks for the group of a process while it lives, when it has ended, and
// when it is gone, as control groups are set up on this machine. Its id is never taken
// for its group where version 1 limits it.
func TestCgroupOfTask(t *testing.T) {
	labtest.NeedRoot(t)
	names := newCgroups()
	testCgroupOfTask(t, !names.v1 && names.root != "")
}

// testCgroupOfTask knows whether an ID is certain to identify the group.
func testCgroupOfTask(t *testing.T, byID bool) {
	service := makeGroup(t, filepath.Join(version2(t), fmt.Sprintf("dropwatch-service-%d", os.Getpid())))
	names := newCgroups()
	want := "/" + filepath.Base(service)
	groups := []string{service}
	if names.v1 {
		want = fmt.Sprintf("/dropwatch-container-%d", os.Getpid())
		groups = append(groups, makeGroup(t, filepath.Join(version1(t), want)))
	}
	t.Logf("version 2 is at %q, version 1 limits: %t", names.root, names.v1)
	before := clock(unix.CLOCK_MONOTONIC) - clockTick
	pid, end, reap := resident(t, groups)
	certain := "" // also when the process is gone
	if byID {
		certain = want
	}
	expect := func(when string, at time.Duration, want string) {
		t.Helper()
		if got := names.of(idOf(t, service), pid, at); got != want {
			t.Errorf("%s: the group is %q, want %q", when, got, want)
		}
	}
	now := func() time.Duration { return clock(unix.CLOCK_MONOTONIC) + clockTick }
	expect("while it lives", now(), want)
	expect("of another with its PID before", before, certain)
	end()
	expect("when it has ended", now(), certain)
	reap()
	expect("when it is gone", now(), certain)
}

// version1 returns where the hierarchy of version 1 is mounted that limits memory, or
// else CPU time or processes.
func version1(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for _, controller := range []string{"memory", "cpu", "pids"} {
		for line := range strings.Lines(string(text)) {
			mount, super, _ := strings.Cut(strings.TrimSpace(line), " - cgroup ")
			options := strings.FieldsFunc(super, func(r rune) bool { return r == ' ' || r == ',' })
			for _, option := range options {
				if option == controller {
					return strings.Fields(mount)[4]
				}
			}
		}
	}
	t.Fatal("version 1 is not mounted")
	return ""
}

// resident starts a process in groups. end has it end, and reap makes it go.
func resident(t *testing.T, groups []string) (pid uint32, end, reap func()) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestResident$")
	cmd.Env = append(os.Environ(), asResident+"=1")
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { input.Close(); _ = cmd.Wait() }) // its input ended; reap has waited, unless the test failed
	for _, group := range groups {
		if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0); err != nil {
			t.Fatal(err)
		}
	}
	end = func() {
		input.Close()
		if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
			t.Fatal(err)
		}
	}
	reap = func() {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	return uint32(cmd.Process.Pid), end, reap
}

const asResident = "DROPWATCH_TEST_RESIDENT"

// TestResident is a process that lives until its input ends.
func TestResident(t *testing.T) {
	if os.Getenv(asResident) != "" {
		_, _ = os.Stdin.Read(make([]byte, 1))
	}
}

func TestForeignPIDs(t *testing.T) {
	own := newTasks()
	at := clock(unix.CLOCK_MONOTONIC)
	own.foreign = false
	if got := own.group(uint32(os.Getpid()), at+clockTick); got == "" {
		t.Error("this process is in no group")
	}
	own.foreign = true
	if got := own.group(uint32(os.Getpid()), at+clockTick); got != "" {
		t.Errorf("a process that may be another is in %q", got)
	}
}

func TestParseStat(t *testing.T) {
	const after = " S 1 2 3 4 5 %d 6 7 8 9 10 11 12 13 14 15 16 17 %s 19 20\n"
	for _, tt := range []struct {
		text       string
		started    time.Duration
		ending, ok bool
	}{
		{"7 (cadvisor)" + fmt.Sprintf(after, 0x400100, "250"), 2500 * time.Millisecond, false, true},
		{"7 (a) R 1 (b))" + fmt.Sprintf(after, 0x40010c, "1"), 10 * time.Millisecond, true, true},
		{"7 (a)" + fmt.Sprintf(after, 0, "-1"), 0, false, false},
		{"7 (a)" + fmt.Sprintf(after, 0, "9999999999999999999"), 0, false, false},
		{"7 (a) S 1 2 3", 0, false, false},
		{"", 0, false, false},
	} {
		if started, ending, ok := parseStat(tt.text); started != tt.started || ending != tt.ending || ok != tt.ok {
			t.Errorf("%q: %v, %t, %t", tt.text, started, ending, ok)
		}
	}
}
