// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// tasks reads what processes say of themselves.
type tasks struct {
	dir     string // /proc
	foreign bool   // PIDs there are not those of the kernel's first PID namespace
}

func newTasks() tasks {
	return tasks{dir: "/proc", foreign: foreignPIDs("/proc")}
}

// clockTick is the unit of times in /proc/PID/stat, USER_HZ.
const clockTick = time.Second / 100

// group returns the path of the control group that a process is in, if it is the process
// that had that PID at a moment of CLOCK_MONOTONIC, which takes that it is older than the
// clock's tick. It is empty for one that ends: version 1 moves that to the root before
// it is gone (proc_cgroup_show, kernel/cgroup/cgroup.c).
func (t tasks) group(pid uint32, at time.Duration) string {
	if t.foreign {
		return ""
	}
	dir := filepath.Join(t.dir, strconv.FormatUint(uint64(pid), 10))
	groups, err := os.ReadFile(filepath.Join(dir, "cgroup"))
	if err != nil {
		return ""
	}
	// Read last: who had the PID at that moment and has it now had it in between.
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return ""
	}
	started, ending, ok := parseStat(string(stat))
	asleep := clock(unix.CLOCK_BOOTTIME) - clock(unix.CLOCK_MONOTONIC)
	if !ok || ending || started+clockTick-asleep > at {
		return ""
	}
	path, _ := groupOf(string(groups))
	return event.Text([]byte(path))
}

// parseStat returns from a /proc/PID/stat when a process started, in CLOCK_BOOTTIME,
// rounded down to clockTick, and whether it is about to end (PF_EXITING,
// include/linux/sched.h).
func parseStat(text string) (started time.Duration, ending, ok bool) {
	const exiting = 0x4
	// After the name, which may have brackets; the first is the third of the file.
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return 0, false, false
	}
	flags, err := strconv.ParseUint(fields[9-3], 10, 32)
	ticks, err2 := strconv.ParseUint(fields[22-3], 10, 48)
	if err != nil || err2 != nil {
		return 0, false, false
	}
	return time.Duration(ticks) * clockTick, flags&exiting != 0, true
}
