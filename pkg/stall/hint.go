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

// HintTopic is what evidence in a stall points to, for whoever can look there.
type HintTopic string

// The topics of hints.
const (
	TopicNone       HintTopic = ""
	TopicCgroup     HintTopic = "cgroup"     // dying cgroups: nr_dying_descendants in cgroup.stat
	TopicIPVS       HintTopic = "ipvs"       // how many IPVS services are estimated
	TopicSlab       HintTopic = "slab"       // a file that walks all of memory
	TopicVirtioNet  HintTopic = "virtio_net" // a command that waits for the hypervisor
	TopicRealTime   HintTopic = "real_time"  // priorities
	TopicHypervisor HintTopic = "hypervisor" // the host's load, the guest's quota
	TopicBudget     HintTopic = "budget"     // net.core.netdev_budget
)

// HintFor returns what evidence in a stall points to, and what to do about it in words;
// both are empty if nothing is known.
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
		// 2232642ec3fb (5.16) brought the switch, 705dd3444081 (6.2) the thread.
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

// isCgroup reports whether a call works on a file of a cgroup hierarchy.
func isCgroup(c *Syscall) bool {
	return c.Path != "" && (c.Magic == kernel.CgroupMagic || c.Magic == kernel.Cgroup2Magic ||
		c.Magic == 0 && strings.HasPrefix(c.Path, "/sys/fs/cgroup/"))
}

// countsDead says where dead cgroups are counted, in the version of the hierarchy that a
// file system has, or, if that is not known, in both.
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

// runs reports whether a function is in the stack.
func (s *Stall) runs(function string) bool {
	return s.Stack != nil && slices.ContainsFunc(s.Stack.Frames, func(f *event.Frame) bool {
		return isFunction(f, function)
	})
}

func isFunction(f *event.Frame, name string) bool {
	return f != nil && kernel.FunctionName(f.Symbol) == name
}

// policy quotes a real-time task's policy and priority.
func (c *Culprit) policy() string {
	if c.Priority == 0 {
		return c.Policy
	}
	return fmt.Sprintf("%s priority %d", c.Policy, c.Priority)
}
