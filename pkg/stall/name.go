// SPDX-License-Identifier: Apache-2.0

package stall

import (
	"regexp"
	"strings"
)

// Name names the culprit in a table: a task with its process, a handler, a softirq
// with its timer, a function or a device.
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

// Doing says what a task was in: its system call, or its policy if that is what
// matters, or "-".
func (c *Culprit) Doing() string {
	switch {
	case c.Syscall != nil:
		return c.Syscall.String()
	case c.Policy != "":
		return c.policy()
	}
	return "-"
}

// containerID is what container runtimes call a container.
var containerID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// podUID is how kubelet names a pod's group; with the systemd driver dashes are
// underscores, and a static pod's UID is a hash without any.
var podUID = regexp.MustCompile(`(?:^|[-/])pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:[./:]|$)`)

// Container names the culprit's container by the first twelve letters of its id, and
// its pod by its UID, as far as the path of its control group tells; empty if it does
// not.
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

// containerOf returns the id of the innermost container whose group, or a group within it,
// a path is. Runtimes name the group by the id, alone or between a prefix such as docker-
// or :cri-containerd: and .scope. What watches a container from outside, conmon, has a
// group named alike.
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
