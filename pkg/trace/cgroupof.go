// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"cmp"
	"slices"
	"strings"
)

// membership is a line of /proc/PID/cgroup: the path of a task's group in a hierarchy.
type membership struct{ controllers, path string }

// Kinds of hierarchies, in order of preference. Container runtimes create groups in the
// hierarchies that limit memory, CPU time and processes. systemd names services in a hierarchy
// without controllers, and in version 2.
const (
	ofMemory = iota
	ofCPU
	ofProcesses
	ofOther
	ofNone // name=systemd
	ofVersion2
)

func (m membership) kind() int {
	if m.controllers == "" {
		return ofVersion2
	}
	if strings.HasPrefix(m.controllers, "name=") {
		return ofNone
	}
	controllers := strings.Split(m.controllers, ",")
	for kind, name := range []string{ofMemory: "memory", ofCPU: "cpu", ofProcesses: "pids"} {
		if slices.Contains(controllers, name) {
			return kind
		}
	}
	return ofOther
}

// groupOf returns the path of a task's group from the text of its /proc/PID/cgroup. v1 says that
// version 1 limits its memory, CPU time or processes. If it does not, the path is that in
// version 2. If it does, hierarchies may have the task in different groups. The path is then
// the first one other than the root, in the order of the kinds, or that of a group below it in
// another hierarchy.
func groupOf(text string) (path string, v1 bool) {
	var all []membership
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) == 3 {
			all = append(all, membership{fields[1], fields[2]})
		}
	}
	slices.SortStableFunc(all, func(a, b membership) int { return cmp.Compare(a.kind(), b.kind()) })
	if len(all) == 0 {
		return "", false
	}
	last := all[len(all)-1]
	if v1 = all[0].kind() <= ofProcesses; !v1 && last.kind() == ofVersion2 {
		return last.path, false
	}
	for _, m := range all {
		if path == "" || path == "/" || strings.HasPrefix(m.path, path+"/") {
			path = m.path
		}
	}
	return path, v1
}
