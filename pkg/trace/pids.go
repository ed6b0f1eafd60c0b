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

// initPIDs is the initial PID namespace, PROC_PID_INIT_INO in include/linux/proc_ns.h. BPF
// programs report the PIDs of that namespace.
const initPIDs = "pid:[4026531836]"

// foreignPIDs reports whether a mount of /proc does not show the PIDs of the initial PID
// namespace: /proc shows those of the namespace that mounted it. Kernel threads are only in the
// initial namespace, with kthreadd as PID 2 (rest_init, init/main.c), and PID 1 is in the
// namespace of the mount. If neither is readable, foreignPIDs checks the caller's own
// namespace, although the mount may be that of an outer one.
func foreignPIDs(proc string) bool {
	if stat, err := os.ReadFile(filepath.Join(proc, "2/stat")); err == nil && isKthread(string(stat)) {
		return false
	}
	for _, process := range []string{"1", "self"} {
		if space, err := os.Readlink(filepath.Join(proc, process, "ns/pid")); err == nil {
			return space != initPIDs
		}
	}
	// Without CONFIG_PID_NS the links to namespaces do not exist. The mount of a namespace that
	// the caller is not in has no self.
	_, err := os.Readlink(filepath.Join(proc, "self"))
	return err != nil
}

// isKthread reports whether a /proc/PID/stat is that of a kernel thread.
func isKthread(stat string) bool {
	const kthread = 0x200000 // PF_KTHREAD, include/linux/sched.h
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= 9-3 {
		return false
	}
	flags, err := strconv.ParseUint(fields[9-3], 10, 32)
	return err == nil && flags&kthread != 0
}

// nameUsers enables names in user stacks, or adds a note why they have none.
func (r *resolver) nameUsers(meta *event.Meta) {
	var note string
	if r.users, note = newUsers(); note != "" {
		meta.Notes = append(meta.Notes, note)
	}
}

// newUsers returns the namer of functions of processes, or nil and the reason.
func newUsers() (users, string) {
	if foreignPIDs("/proc") {
		return nil, "functions and version 1 control groups of processes have no names: /proc belongs to another PID namespace"
	}
	return usersymbol.New(userSymbols), ""
}
