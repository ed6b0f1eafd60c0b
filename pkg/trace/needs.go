// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import "github.com/dropwatch/dropwatch/pkg/capability"

// naming is what names take that are looked up while events come: those of modules' and
// BPF programs' functions (CAP_SYSLOG), of others' processes, namespaces and programs
// (CAP_SYS_PTRACE), of control groups and files in closed directories
// (CAP_DAC_READ_SEARCH).
func naming() capability.Set {
	return capability.Of(capability.Syslog, capability.SysPtrace, capability.DACReadSearch)
}

// Needs returns the capabilities that Next makes use of, where the process has them. Ring
// buffers and memory are mapped, and detaching takes none. Namespaces that appear are
// entered to read their counters (CAP_SYS_ADMIN); stalls are attached to anew after a
// pause.
func (t *Tracer) Needs() capability.Set {
	needs := naming()
	if t.counters != nil {
		needs |= capability.Of(capability.SysAdmin)
	}
	if t.stalls != nil {
		needs |= capability.Of(capability.BPF, capability.Perfmon)
	}
	return needs
}

// Needs returns the capabilities that Next makes use of, where the process has them.
func (s *Stalls) Needs() capability.Set { return naming() }
