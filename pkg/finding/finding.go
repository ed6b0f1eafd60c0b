// SPDX-License-Identifier: Apache-2.0

// Package finding tells what a node loses and what to change, by the USE method: for
// each resource a packet passes, how full it is, whether work waits for it, and what
// was lost there.
//
// Each rule is in the file of its subject and says above itself from when on it speaks.
// Rules see numbers only: no clock, no file, no kernel.
package finding

import (
	"cmp"
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// Finding is something to change on a node, or to know about it. Commands are exact and
// for a shell of root; nothing runs them here.
type Finding struct {
	ID       string // of the rule: rx-ring, backlog
	Severity Severity
	Device   string      // empty if it is of no device
	Netns    event.Netns // zero if it is of the whole machine
	Evidence []Fact
	Explain  string   // what it means, in one sentence
	Fix      []string // commands
	Persist  []string // what makes it last: "FILE: line", or a line of advice
	Undo     []string // commands that restore what is set now
	Cost     string   // of the change: memory, latency, risk
}

// IDs returns those of all rules, as docs/findings.md lists them.
func IDs() []string {
	return []string{
		"rx-ring", "backlog", "budget", "irq-affinity", "rx-queues", "rps", "ksoftirqd", "steal",
		"udp-receive-buffer", "tcp-receive-buffer", "udp-memory", "tcp-memory", "accept-queue", "syn-queue",
		"conntrack-table", "neighbour-table", "neighbour-queue", "fragment-memory",
		"qdisc-drops", "link-down", "device-dropped", "rp-filter", "mtu", "mtu-peer", "mtu-tunnel",
		"checksum", "crc", "dying-cgroups",
	}
}

// Fact is a number or text that a finding rests on.
type Fact struct {
	Name  string // with its unit where it has one: rx_missed_errors_per_s
	Value any    // uint64, float64 or string
}

// Severity is how bad a finding is.
type Severity string

const (
	// Info is for what may become loss, or is very little of it.
	Info Severity = "info"
	// Warning is for loss, and for what makes it likely.
	Warning Severity = "warning"
	// Critical is for much loss that goes on.
	Critical Severity = "critical"
)

// AtLeast reports whether it is as bad as another, or worse.
func (s Severity) AtLeast(other Severity) bool { return s.rank() >= other.rank() }

func (s Severity) rank() int {
	return slices.Index([]Severity{Info, Warning, Critical}, s)
}

// Input is what rules judge: how far counters moved, loads at two moments, and the settings.
type Input struct {
	Counters              []event.Movement // those that are gone are left out of account
	LoadBefore, LoadAfter node.Load
	Elapsed               time.Duration // for which counters were watched
	State                 node.State
	Sockets               []node.Socket // that lost packets, see node.SocketWatch
	Traced                []event.Count // drops in the interval; nil if they were not traced
}

// found is a finding with what it is ordered by within its severity: packets, or
// what the rule takes instead.
type found struct {
	Finding
	amount float64
}

// Find applies all rules. The worst comes first; within a severity, the most packets.
func Find(in Input) []Finding {
	n := newNode(in)
	var all []found
	for _, rule := range []func(*nodeInput) []found{
		rings, backlogs, budgets, steering, ksoftirqds, steals,
		receiveBuffers, memories, listens, conntracks, neighbourTables, neighbourQueues,
		qdiscs, reversePaths, peerMTUs, tunnelMTUs, fragments, checksums, frameChecks, dyingCgroups,
		fragmentMemories, downs, dropped,
	} {
		all = append(all, rule(n)...)
	}
	slices.SortStableFunc(all, func(a, b found) int {
		return cmp.Or(
			cmp.Compare(b.Severity.rank(), a.Severity.rank()),
			cmp.Compare(b.amount, a.amount),
			cmp.Compare(a.ID, b.ID),
			cmp.Compare(a.Device, b.Device),
		)
	})
	var findings []Finding
	for _, f := range all {
		findings = append(findings, f.Finding)
	}
	return findings
}
