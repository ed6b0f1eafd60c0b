// SPDX-License-Identifier: Apache-2.0

package stall

import (
	"regexp"
	"strings"
)

// Name returns the culprit's name for a table: a task with its process, a handler, a
// softirq with its timer, a function or a device; "-" if it has none.
func (c *Culprit) Name() string {
	switch {
	case c.PID != 0 || c.Comm != "":
		return c.task()
	case c.Softirq != "":
		return c.softirq()
	case c.Handler != "":
		return c.handler()
	case c.Function != nil:
		return c.Function.Name()
	case c.Device != "":
		return c.Device
	}
	return "-"
}

// Doing returns the system call that a task was in, otherwise its real-time policy,
// otherwise "-".
func (c *Culprit) Doing() string {
	switch {
	case c.Syscall != nil:
		return c.Syscall.String()
	case c.Policy != "":
		return c.policy()
	}
	return "-"
}

// containerID matches the id that container runtimes give a container.
var containerID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// podUID matches the group that kubelet makes for a pod. The systemd driver writes
// underscores for dashes; the UID of a static pod is a hash without dashes.
var podUID = regexp.MustCompile(`(?:^|[-/])pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:[./:]|$)`)

// Container returns the culprit's pod, by its UID, and container, by the first twelve
// digits of its id, from the path of its control group; empty if the path has neither.
func (c *Culprit) Container() string {
	var names []string
	if m := podUID.FindStringSubmatch(c.CgroupPath); m != nil {
		names = append(names, "pod "+strings.ReplaceAll(m[1], "_", "-"))
	}
	if id := containerOf(c.CgroupPath); id != "" {
		names = append(names, "container "+id[:12])
	}
	return strings.Join(names, ", ")
}

// containerOf returns the id of the innermost container in the path of a control group.
// Runtimes name the group by the id, alone or between a prefix such as docker- or
// :cri-containerd: and the suffix .scope. The group of conmon, which watches a container
// from outside, has the id as well and does not count.
func containerOf(path string) (id string) {
	for name := range strings.SplitSeq(path, "/") {
		name = strings.TrimSuffix(name, ".scope")
		at := strings.LastIndexAny(name, "-:") + 1
		if containerID.MatchString(name[at:]) && !strings.HasSuffix(name[:at], "conmon-") {
			id = name[at:]
		}
	}
	return id
}
