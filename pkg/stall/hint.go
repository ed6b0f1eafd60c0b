// SPDX-License-Identifier: Apache-2.0

package stall

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

// HintTopic is what a stall points to, for a caller that can look there.
type HintTopic string

// The topics of hints.
const (
	TopicNone       HintTopic = ""
	TopicCgroup     HintTopic = "cgroup"     // dying cgroups: nr_dying_descendants in cgroup.stat
	TopicIPVS       HintTopic = "ipvs"       // number of estimated IPVS services
	TopicSlab       HintTopic = "slab"       // a file whose read walks all memory
	TopicVirtioNet  HintTopic = "virtio_net" // a command to the hypervisor
	TopicRealTime   HintTopic = "real_time"  // priority of the real-time task
	TopicHypervisor HintTopic = "hypervisor" // the host's load, the guest's quota
	TopicBudget     HintTopic = "budget"     // net.core.netdev_budget
)

// HintFor returns the topic of a stall and what to look at or change, in English. Both are
// empty if nothing is known.
func HintFor(s *Stall) (HintTopic, string) {
	switch c := s.Culprit; {
	case s.Verdict == Steal:
		return TopicHypervisor, "ask the hypervisor: the host's load, or a limit on this machine's CPU time"
	case c == nil:
	case c.Syscall != nil && isCgroup(c.Syscall):
		return TopicCgroup, "dead cgroups make such files slow: " + countsDead(c.Syscall.Magic)
	case c.Syscall != nil && slices.Contains([]string{"slabinfo", "pagetypeinfo"}, path.Base(c.Syscall.Path)):
		return TopicSlab, "reading " + path.Base(c.Syscall.Path) + " walks lists of the whole memory; who reads it, and how often?"
	case isFunction(c.Function, "estimation_timer"):
		// Commit 2232642ec3fb (5.16) added the sysctl, 705dd3444081 (6.2) the thread.
		return TopicIPVS, "IPVS estimates the rates of all its services here: ipvsadm -Ln counts them; from 5.16 on net.ipv4.vs.run_estimation=0 stops it, from 6.2 on a thread does it"
	case s.runs("virtnet_send_command"):
		return TopicVirtioNet, "virtio_net waits for the hypervisor to answer a command"
	case s.Verdict == RTStarve:
		return TopicRealTime, fmt.Sprintf("%s comes before the network's thread; chrt changes that", c.policy())
	case s.Verdict == NetRXBudget:
		return TopicBudget, "net.core.netdev_budget and netdev_budget_usecs limit what one run handles"
	}
	return TopicNone, ""
}

// isCgroup reports whether a system call works on a file of a cgroup hierarchy.
func isCgroup(c *Syscall) bool {
	return c.Path != "" && (c.Magic == kernel.CgroupMagic || c.Magic == kernel.Cgroup2Magic ||
		c.Magic == 0 && strings.HasPrefix(c.Path, "/sys/fs/cgroup/"))
}

// countsDead names the file that counts dead cgroups in the hierarchy of a file system, and
// the files of both versions if the magic is unknown.
func countsDead(magic uint32) string {
	const (
		v1 = "/proc/cgroups counts more cgroups than there are directories"
		v2 = "nr_dying_descendants in cgroup.stat counts them"
	)
	switch magic {
	case kernel.CgroupMagic:
		return v1
	case kernel.Cgroup2Magic:
		return v2
	}
	return v2 + ", or, in version 1, " + v1
}

// runs reports whether a function is in the kernel stack.
func (s *Stall) runs(function string) bool {
	return s.Stack != nil && slices.ContainsFunc(s.Stack.Frames, func(f *event.Frame) bool {
		return isFunction(f, function)
	})
}

// isFunction reports whether a frame is in a function, whatever compilers append to its name.
func isFunction(f *event.Frame, name string) bool {
	return f != nil && kernel.FunctionName(f.Symbol) == name
}

// policy returns the policy and priority of a real-time task: SCHED_FIFO priority 50.
func (c *Culprit) policy() string {
	if c.Priority == 0 {
		return c.Policy
	}
	return fmt.Sprintf("%s priority %d", c.Policy, c.Priority)
}
