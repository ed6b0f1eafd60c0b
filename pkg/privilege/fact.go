// SPDX-License-Identifier: Apache-2.0

package privilege

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// Fact is a property of this machine that decides what can be traced.
type Fact struct {
	Name  string
	Value string
	Limit string // what does not work because of it; empty if everything does
}

// Facts returns the facts that decide what the calling process can trace. It reads files
// from root, os.DirFS("/") for this machine.
func Facts(root fs.FS) []Fact {
	f := files{root}
	facts := []Fact{f.btf(), f.lockdown(), f.symbols()}
	facts = append(facts, f.capabilities())
	for _, s := range []struct {
		name  string
		limit func(value int) string
	}{
		{"kernel.kptr_restrict", func(v int) string {
			return when(v >= 2, "stacks have addresses instead of names, whatever the capabilities")
		}},
		{"kernel.perf_event_paranoid", func(v int) string {
			return when(v >= 3, "classic tracepoints and kprobes need CAP_SYS_ADMIN")
		}},
		{"kernel.unprivileged_bpf_disabled", nil},
		{"kernel.bpf_stats_enabled", func(v int) string {
			return when(v != 0, "the kernel times every BPF program, which costs about 20 ns a run")
		}},
		{"kernel.perf_event_max_stack", func(v int) string {
			return when(v < 127, fmt.Sprintf("stacks are cut after %d frames", v))
		}},
		{"net.core.bpf_jit_enable", func(v int) string {
			return when(v == 0, "BPF programs are interpreted, which costs several times as much per drop")
		}},
	} {
		if fact, ok := f.setting(s.name, s.limit); ok {
			facts = append(facts, fact)
		}
	}
	return facts
}

// files reads the files of a machine below a root.
type files struct{ root fs.FS }

// read returns a file's text, and false if it cannot be read.
func (f files) read(name string) (string, bool) {
	text, err := fs.ReadFile(f.root, strings.TrimPrefix(name, "/"))
	return string(text), err == nil
}

func when(limited bool, limit string) string {
	if limited {
		return limit
	}
	return ""
}

func (f files) setting(name string, limit func(int) string) (Fact, bool) {
	text, ok := f.read("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
	if !ok {
		return Fact{}, false
	}
	fact := Fact{Name: name, Value: strings.TrimSpace(text)}
	if value, err := strconv.Atoi(fact.Value); err == nil && limit != nil {
		fact.Limit = limit(value)
	}
	return fact, true
}

func (f files) btf() Fact {
	const file = "/sys/kernel/btf/vmlinux"
	if _, err := fs.Stat(f.root, file[1:]); err != nil {
		return Fact{"BTF", "no " + file, "drops have no device, protocol and addresses, and stalls are not recorded: pass a file with the kernel's types by --btf FILE"}
	}
	return Fact{Name: "BTF", Value: file}
}

// confidentiality is the lockdown mode in which BPF may not read kernel memory.
const confidentiality = "confidentiality"

// lockdown returns the mode in brackets: none, integrity or confidentiality.
func (f files) lockdown() Fact {
	text, ok := f.read("/sys/kernel/security/lockdown")
	if !ok {
		return Fact{Name: "lockdown", Value: "not readable, or not built in"}
	}
	_, mode, _ := strings.Cut(text, "[")
	mode, _, _ = strings.Cut(mode, "]")
	fact := Fact{Name: "lockdown", Value: mode}
	if mode == confidentiality {
		fact.Limit = "BPF may not read kernel memory: drops have no device, protocol and addresses, and stalls are not recorded"
	}
	return fact
}

// symbols checks the address of _text or _stext. It is 0 only where addresses are hidden;
// other symbols may have the address 0 in any case.
func (f files) symbols() Fact {
	const limit = "stacks have addresses instead of names"
	text, ok := f.read("/proc/kallsyms")
	if !ok {
		return Fact{"symbols", "no /proc/kallsyms", limit}
	}
	for line := range strings.Lines(text) {
		address, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasSuffix(name, " _text") || strings.HasSuffix(name, " _stext") {
			if strings.Trim(address, "0") == "" {
				return Fact{"symbols", "hidden", limit + ": " + HiddenSymbols(f.root)}
			}
			return Fact{Name: "symbols", Value: "/proc/kallsyms"}
		}
	}
	return Fact{"symbols", "none in /proc/kallsyms", limit}
}

// capabilities lists the capabilities that tracing needs and this process lacks.
func (f files) capabilities() Fact {
	status, err := f.status()
	if err != nil {
		return Fact{Name: "capabilities", Value: "unknown"}
	}
	lacks := slices.DeleteFunc([]Capability{
		BPF, Perfmon, Syslog, NetAdmin, SysPtrace,
		SysAdmin, DACReadSearch,
	}, status.Effective.Allows)
	if len(lacks) == 0 {
		return Fact{Name: "capabilities", Value: "all that are needed"}
	}
	return Fact{"capabilities", fmt.Sprintf("%d missing", len(lacks)), "lacks " + purposes(lacks)}
}
