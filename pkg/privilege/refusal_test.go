// SPDX-License-Identifier: Apache-2.0

package privilege

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestRefusal(t *testing.T) {
	const all = "CapEff:\t000001fffeffffff\n"
	for name, test := range map[string]struct {
		files   map[string]string
		memlock bool
		missing []Capability
		why     string
	}{
		"nothing": {map[string]string{"proc/self/status": "CapEff:\t0\n"}, false,
			[]Capability{BPF, Perfmon}, "lacks CAP_BPF (to load programs), CAP_PERFMON (to trace)"},
		"BPF alone": {map[string]string{"proc/self/status": "CapEff:\t0000008000000000\n"}, false,
			[]Capability{Perfmon}, "lacks CAP_PERFMON (to trace)"},
		"admin": {map[string]string{"proc/self/status": "CapEff:\t0000000000200000\n"}, false, nil, "a security module"},
		"user namespace": {map[string]string{
			"proc/self/status": all, "proc/self/uid_map": "         0       1000          1\n",
		}, false, nil, "user namespace"},
		"lockdown": {map[string]string{
			"proc/self/status": all, "sys/kernel/security/lockdown": "none integrity [confidentiality]\n",
		}, false, nil, "locked down"},
		"integrity": {map[string]string{
			"proc/self/status": all, "sys/kernel/security/lockdown": "none [integrity] confidentiality\n",
		}, false, nil, "a security module"},
		"memlock": {map[string]string{"proc/self/status": all}, true,
			[]Capability{SysResource}, "RLIMIT_MEMLOCK"},
		"seccomp":      {map[string]string{"proc/self/status": all + "Seccomp:\t2\n"}, false, nil, "seccomp"},
		"LSM":          {map[string]string{"sys/kernel/security/lsm": "capability,bpf\n", "proc/self/status": all}, false, nil, "(active: capability,bpf)"},
		"unknown":      {nil, false, nil, "read capabilities"},
		"memlock, too": {map[string]string{"proc/self/status": "CapEff:\t0000004000000000\n"}, true, []Capability{BPF}, "lacks CAP_BPF"},
	} {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{"proc/self/uid_map": {Data: []byte("         0          0 4294967295\n")}}
			for path, text := range test.files {
				root[path] = &fstest.MapFile{Data: []byte(text)}
			}
			got := WhyRefused(root, test.memlock)
			if !slices.Equal(got.Missing, test.missing) || !strings.Contains(got.Why, test.why) {
				t.Errorf("%+v", got)
			}
			if (got.Remedy == "") != (len(got.Missing) > 0 || name == "unknown") {
				t.Errorf("remedy %q", got.Remedy)
			}
		})
	}
}

func TestHiddenSymbols(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"sysctl kernel.kptr_restrict is 2":                                {"proc/sys/kernel/kptr_restrict": "2\n", "proc/self/status": "CapEff:\t0\n"},
		"CAP_SYSLOG (for names in stacks) is missing":                     {"proc/sys/kernel/kptr_restrict": "1\n", "proc/self/status": "CapEff:\t0\n"},
		"the cause is neither CAP_SYSLOG nor sysctl kernel.kptr_restrict": {"proc/self/status": "CapEff:\t0000000400000000\n"},
	} {
		root := fstest.MapFS{}
		for path, text := range files {
			root[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := HiddenSymbols(root); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
