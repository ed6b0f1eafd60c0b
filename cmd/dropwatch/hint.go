// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"github.com/dropwatch/dropwatch/pkg/node"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// stallHint returns what looks on this machine for what a stall points to, if it is
// this machine's.
func stallHint(live bool) func(*stall.Stall) string {
	if !live {
		return nil
	}
	root := node.Root{FS: os.DirFS("/")}
	return func(s *stall.Stall) string {
		switch {
		case s.HintTopic == stall.TopicCgroup && s.Culprit.Syscall != nil:
			return root.DyingCgroups(s.Culprit.Syscall.Path)
		case s.HintTopic == stall.TopicIPVS:
			return root.IPVS()
		case s.HintTopic == stall.TopicBudget:
			return root.Sysctls("net.core.netdev_budget", "net.core.netdev_budget_usecs")
		}
		return ""
	}
}
