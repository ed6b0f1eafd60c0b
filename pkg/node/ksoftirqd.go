// SPDX-License-Identifier: Apache-2.0

package node

import (
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// ksoftirqd finds the ksoftirqd threads, by CPU.
func (r Root) ksoftirqd() map[int]Thread {
	threads := map[int]Thread{}
	entries, _ := fs.ReadDir(r.FS, "proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		text, _ := r.read("/proc/" + entry.Name() + "/stat")
		if cpu, spent, ok := parseKsoftirqd(text); ok {
			threads[cpu] = Thread{PID: pid, Time: spent}
		}
	}
	return threads
}

// parseKsoftirqd parses /proc/PID/stat of ksoftirqd: utime and stime are fields 14 and 15. It
// accepts only children of kthreadd, because any process may take the name.
func parseKsoftirqd(text string) (cpu int, spent time.Duration, ok bool) {
	_, rest, ok := strings.Cut(text, " (ksoftirqd/")
	if !ok {
		return 0, 0, false
	}
	number, rest, _ := strings.Cut(rest, ") ")
	cpu, err := strconv.Atoi(number)
	columns := strings.Fields(rest) // from field 3
	if err != nil || cpu < 0 || len(columns) < 13 || columns[1] != "2" {
		return 0, 0, false
	}
	user, err1 := strconv.ParseUint(columns[11], 10, tickBits)
	system, err2 := strconv.ParseUint(columns[12], 10, tickBits)
	if err1 != nil || err2 != nil {
		return 0, 0, false
	}
	return cpu, time.Duration(user+system) * tick, true
}
