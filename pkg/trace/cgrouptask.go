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

// tasks reads the control groups of processes from /proc.
type tasks struct {
	dir     string // /proc
	foreign bool   // its PIDs are not those of the initial PID namespace
}

func newTasks() tasks {
	return tasks{dir: "/proc", foreign: foreignPIDs("/proc")}
}

// clockTick is the unit of times in /proc/PID/stat, USER_HZ.
const clockTick = time.Second / 100

// group returns the path of the control group of the process that had a PID at a time of
// CLOCK_MONOTONIC. It returns an empty string if another process may have had the PID, that is,
// unless the process started at least one clock tick earlier. It also returns an empty string
// for a process that exits: version 1 moves it to the root first (proc_cgroup_show,
// kernel/cgroup/cgroup.c).
func (t tasks) group(pid uint32, at time.Duration) string {
	if t.foreign {
		return ""
	}
	dir := filepath.Join(t.dir, strconv.FormatUint(uint64(pid), 10))
	groups, err := os.ReadFile(filepath.Join(dir, "cgroup"))
	if err != nil {
		return ""
	}
	// Read last: a process that had the PID at that time and has it now had it in between.
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

// parseStat parses /proc/PID/stat. started is the start time of the process in CLOCK_BOOTTIME,
// rounded down to clockTick. ending says that the process exits (PF_EXITING,
// include/linux/sched.h).
func parseStat(text string) (started time.Duration, ending, ok bool) {
	const exiting = 0x4
	// The name may contain parentheses. fields[0] is field 3 of the file.
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
