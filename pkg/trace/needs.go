// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import "github.com/dropwatch/dropwatch/pkg/privilege"

// naming returns the capabilities that resolve names during the trace: of functions of modules
// and BPF programs (CAP_SYSLOG), of other users' processes, namespaces and programs
// (CAP_SYS_PTRACE), of control groups and of files in unreadable directories
// (CAP_DAC_READ_SEARCH).
func naming() privilege.Set {
	return privilege.Of(privilege.Syslog, privilege.SysPtrace, privilege.DACReadSearch)
}

// Needs returns the capabilities that Next uses if the process has them. Mapped ring buffers and
// maps need none, nor does detaching. Next enters new namespaces to read their counters
// (CAP_SYS_ADMIN), and attaches the stall programs again after a pause (CAP_BPF, CAP_PERFMON).
func (t *Tracer) Needs() privilege.Set {
	needs := naming()
	if t.counters != nil {
		needs |= privilege.Of(privilege.SysAdmin)
	}
	if t.stalls != nil {
		needs |= privilege.Of(privilege.BPF, privilege.Perfmon)
	}
	return needs
}

// Needs returns the capabilities that Next uses if the process has them.
func (s *Stalls) Needs() privilege.Set { return naming() }
