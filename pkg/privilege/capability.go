// SPDX-License-Identifier: Apache-2.0

// Package privilege reads, names and drops the capabilities of Linux processes, and explains
// why the kernel refuses to trace.
package privilege

import (
	"fmt"
	"strings"
)

// Capability is the number of a capability (include/uapi/linux/capability.h).
type Capability uint

// Capabilities that dropwatch uses. Perfmon and BPF need kernel 5.8+.
const (
	DACReadSearch Capability = 2
	Kill          Capability = 5
	NetAdmin      Capability = 12
	SysPtrace     Capability = 19
	SysAdmin      Capability = 21
	SysResource   Capability = 24
	Syslog        Capability = 34
	Perfmon       Capability = 38
	BPF           Capability = 39
)

// String returns the name from capabilities(7), or CAP_ and the number for a capability that
// is not listed here.
func (c Capability) String() string {
	switch c {
	case DACReadSearch:
		return "CAP_DAC_READ_SEARCH"
	case Kill:
		return "CAP_KILL"
	case NetAdmin:
		return "CAP_NET_ADMIN"
	case SysPtrace:
		return "CAP_SYS_PTRACE"
	case SysAdmin:
		return "CAP_SYS_ADMIN"
	case SysResource:
		return "CAP_SYS_RESOURCE"
	case Syslog:
		return "CAP_SYSLOG"
	case Perfmon:
		return "CAP_PERFMON"
	case BPF:
		return "CAP_BPF"
	}
	return fmt.Sprintf("CAP_%d", uint(c))
}

// Set is a set of capabilities, one bit each, in the kernel's layout.
type Set uint64

// Of returns the set of the given capabilities.
func Of(capabilities ...Capability) (s Set) {
	for _, c := range capabilities {
		s |= 1 << c
	}
	return s
}

// Has reports whether a capability is in the set.
func (s Set) Has(c Capability) bool { return s>>c&1 != 0 }

// Allows reports whether the set grants what a capability grants. CAP_SYS_ADMIN includes
// CAP_BPF and CAP_PERFMON, which were split off it (bpf_capable and perfmon_capable,
// include/linux/capability.h).
func (s Set) Allows(c Capability) bool {
	return s.Has(c) || (c == BPF || c == Perfmon) && s.Has(SysAdmin)
}

// String lists the names in the order of the numbers.
func (s Set) String() string {
	var names []string
	for c := range Capability(64) {
		if s.Has(c) {
			names = append(names, c.String())
		}
	}
	return strings.Join(names, " ")
}
