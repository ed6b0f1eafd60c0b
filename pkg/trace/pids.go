// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/usersymbol"
)

// initPIDs is the kernel's first PID namespace, PROC_PID_INIT_INO in
// include/linux/proc_ns.h. Programs in the kernel tell processes by their numbers there.
const initPIDs = "pid:[4026531836]"

// foreignPIDs reports whether a mount of /proc has other processes under the numbers of
// the first PID namespace: it shows those of the namespace that mounted it. The kernel's
// threads are in the first one alone, with kthreadd as 2 (rest_init, init/main.c), and
// process 1 is in that of the mount. Where neither can be looked at, the caller's own
// namespace tells, from which the mount may be that of an outer one.
func foreignPIDs(proc string) bool {
	if stat, err := os.ReadFile(filepath.Join(proc, "2/stat")); err == nil && isKthread(string(stat)) {
		return false
	}
	for _, process := range []string{"1", "self"} {
		if space, err := os.Readlink(filepath.Join(proc, process, "ns/pid")); err == nil {
			return space != initPIDs
		}
	}
	// There is no such link without CONFIG_PID_NS, and no process of the caller's in a mount
	// of a namespace that it is not in.
	_, err := os.Readlink(filepath.Join(proc, "self"))
	return err != nil
}

// isKthread reports whether a /proc/PID/stat is that of a thread of the kernel.
func isKthread(stat string) bool {
	const kthread = 0x200000 // PF_KTHREAD, include/linux/sched.h
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= 9-3 {
		return false
	}
	flags, err := strconv.ParseUint(fields[9-3], 10, 32)
	return err == nil && flags&kthread != 0
}

// nameUsers has user space stacks named, or notes why they are not.
func (r *resolver) nameUsers(meta *event.Meta) {
	var note string
	if r.users, note = newUsers(); note != "" {
		meta.Notes = append(meta.Notes, note)
	}
}

// newUsers returns what names functions of processes, or nil and why there is nothing.
func newUsers() (users, string) {
	if foreignPIDs("/proc") {
		return nil, "functions and version 1 control groups of processes have no names: /proc is that of another PID namespace"
	}
	return usersymbol.New(userSymbols), ""
}
