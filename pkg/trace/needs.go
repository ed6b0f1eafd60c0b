// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import "github.com/dropwatch/dropwatch/pkg/privilege"

// naming is what names take that are looked up while events come: those of modules' and
// BPF programs' functions (CAP_SYSLOG), of others' processes, namespaces and programs
// (CAP_SYS_PTRACE), of control groups and files in closed directories
// (CAP_DAC_READ_SEARCH).
func naming() privilege.Set {
	return privilege.Of(privilege.Syslog, privilege.SysPtrace, privilege.DACReadSearch)
}

// Needs returns the capabilities that Next makes use of, where the process has them. Ring
// buffers and memory are mapped, and detaching takes none. Namespaces that appear are
// entered to read their counters (CAP_SYS_ADMIN); stalls are attached to anew after a
// pause.
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

// Needs returns the capabilities that Next makes use of, where the process has them.
func (s *Stalls) Needs() privilege.Set { return naming() }
