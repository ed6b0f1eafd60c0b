// SPDX-License-Identifier: Apache-2.0

package privilege

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Refusal says why the kernel does not let the calling process trace.
type Refusal struct {
	Missing []Capability // required capabilities that the process lacks
	Why     string
	Remedy  string // empty if Missing is not: the remedy is to grant those
}

// WhyRefused finds out why the kernel denied permission to load or attach a BPF program.
// memlock says that maps count against RLIMIT_MEMLOCK and that it could not be raised.
//
// bpf(2) requires CAP_BPF and CAP_PERFMON (kernel/bpf/syscall.c, 5.8+), both in the initial
// user namespace (bpf_capable). Before 5.11 maps count as locked memory. If none of these is
// the cause, a seccomp filter or a security module denied the system call.
func WhyRefused(root fs.FS, memlock bool) Refusal {
	f := files{root}
	status, err := f.status()
	if err != nil {
		return Refusal{Why: err.Error()}
	}
	missing := slices.DeleteFunc([]Capability{BPF, Perfmon}, status.Effective.Allows)
	switch {
	case f.inUserNamespace():
		return Refusal{
			Why:    "this process is in a user namespace, whose capabilities do not permit tracing",
			Remedy: "run it in the initial user namespace, as in a container that is not rootless",
		}
	case len(missing) > 0:
		return Refusal{Missing: missing, Why: "lacks " + purposes(missing)}
	case LockedDown(root):
		return Refusal{
			Why:    "the kernel is locked down (confidentiality), so BPF may not read its memory",
			Remedy: "boot with lockdown=integrity or without lockdown",
		}
	case memlock:
		return Refusal{
			Missing: []Capability{SysResource},
			Why:     "RLIMIT_MEMLOCK is too small for the maps, and raising it needs CAP_SYS_RESOURCE",
		}
	case status.Seccomp:
		return Refusal{
			Why:    "no capability is missing, but a seccomp filter restricts this process's system calls",
			Remedy: "allow bpf(2) and perf_event_open(2) in the filter, for a container by --security-opt seccomp=FILE",
		}
	}
	return Refusal{
		Why:    "no capability is missing: a security module denies it" + f.securityModules(),
		Remedy: "look for the denial in the kernel log or the audit log",
	}
}

// LockedDown reports whether lockdown forbids BPF to read kernel memory.
func LockedDown(root fs.FS) bool { return files{root}.lockdown().Value == confidentiality }

func (f files) status() (*Status, error) {
	file, err := f.root.Open("proc/self/status")
	if err != nil {
		return nil, fmt.Errorf("read capabilities: %w", err)
	}
	defer file.Close()
	return ReadStatus(file)
}

// inUserNamespace reports whether the process is outside the initial user namespace, which
// maps every user ID to itself (user_namespaces(7)).
func (f files) inUserNamespace() bool {
	text, ok := f.read("/proc/self/uid_map")
	return ok && !slices.Equal(strings.Fields(text), []string{"0", "0", "4294967295"})
}

func (f files) securityModules() string {
	text, ok := f.read("/sys/kernel/security/lsm")
	if !ok {
		return ""
	}
	return " (active: " + event.Text([]byte(strings.TrimSpace(text))) + ")"
}

// HiddenSymbols says why the kernel hides the addresses in /proc/kallsyms from this process
// (kallsyms_show_value, kernel/ksyms_common.c).
func HiddenSymbols(root fs.FS) string {
	f := files{root}
	if v, ok := f.read("/proc/sys/kernel/kptr_restrict"); ok && strings.TrimSpace(v) > "1" {
		return "sysctl kernel.kptr_restrict is " + strings.TrimSpace(v)
	}
	if status, err := f.status(); err == nil && !status.Effective.Has(Syslog) {
		return purposes([]Capability{Syslog}) + " is missing"
	}
	return "the cause is neither CAP_SYSLOG nor sysctl kernel.kptr_restrict"
}

// purposes lists capabilities, each with its purpose.
func purposes(all []Capability) string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.String() + " (" + purpose(c) + ")"
	}
	return strings.Join(names, ", ")
}

func purpose(c Capability) string {
	switch c {
	case BPF:
		return "to load programs"
	case Perfmon:
		return "to trace"
	case Syslog:
		return "for names in stacks"
	case NetAdmin:
		return "for settings of devices"
	case SysPtrace:
		return "for other users' processes and namespaces"
	case SysAdmin:
		return "for counters in other network namespaces"
	case DACReadSearch:
		return "for names of control groups"
	}
	return "for limits"
}
