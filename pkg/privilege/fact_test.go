// SPDX-License-Identifier: Apache-2.0

package privilege

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestFacts(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	full := fstest.MapFS{
		"sys/kernel/btf/vmlinux":              file("x"),
		"sys/kernel/security/lockdown":        file("[none] integrity confidentiality\n"),
		"proc/kallsyms":                       file("0000000000000000 A fixed_percpu_data\nffffffff81000000 T _text\n"),
		"proc/self/status":                    file("Name:\tx\nCapPrm:\t0\nCapEff:\t000001ffffffffff\nCapBnd:\t0\n"),
		"proc/sys/kernel/kptr_restrict":       file("1\n"),
		"proc/sys/kernel/perf_event_paranoid": file("2\n"),
		"proc/sys/net/core/bpf_jit_enable":    file("1\n"),
	}
	for _, fact := range Facts(full) {
		if fact.Limit != "" || fact.Value == "" {
			t.Errorf("%+v on a machine without limits", fact)
		}
	}
	for name, test := range map[string]struct{ file, text, limit string }{
		"BTF":                        {"sys/kernel/btf/vmlinux", "", "drops have no device"},
		"lockdown":                   {"sys/kernel/security/lockdown", "none integrity [confidentiality]\n", "may not read kernel memory"},
		"symbols":                    {"proc/kallsyms", "0000000000000000 T _text\n", "kptr_restrict"},
		"capabilities":               {"proc/self/status", "Name:\tx\nCapEff:\t0000004000000000\n", "CAP_BPF (to load programs), CAP_SYSLOG"},
		"kernel.kptr_restrict":       {"proc/sys/kernel/kptr_restrict", "2\n", "addresses"},
		"kernel.perf_event_paranoid": {"proc/sys/kernel/perf_event_paranoid", "3\n", "CAP_SYS_ADMIN"},
		"net.core.bpf_jit_enable":    {"proc/sys/net/core/bpf_jit_enable", "0\n", "interpreted"},
	} {
		limited := fstest.MapFS{}
		for path, f := range full {
			limited[path] = f
		}
		delete(limited, test.file)
		if test.text != "" {
			limited[test.file] = file(test.text)
		}
		found := false
		for _, fact := range Facts(limited) {
			switch {
			case fact.Name == name:
				found = strings.Contains(fact.Limit, test.limit)
			case fact.Limit != "":
				t.Errorf("%s: %+v too", name, fact)
			}
		}
		if !found {
			t.Errorf("%s limits nothing", name)
		}
	}
}
