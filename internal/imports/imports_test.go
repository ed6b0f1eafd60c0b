// SPDX-License-Identifier: Apache-2.0

// Package imports_test asserts which packages may import which, so that packages for
// other programs stay small and nothing past the events depends on a kernel.
package imports_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/dropwatch/dropwatch/"

// deps returns all that a package imports, directly or not, without the standard library.
func deps(t *testing.T, system, pkg string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module+pkg)
	cmd.Env = append(os.Environ(), "GOOS="+system)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(p string) bool { return p == module+pkg })
}

// TestPublic: packages for other programs import what is listed here, on every system.
func TestPublic(t *testing.T) {
	ours := []string{"pkg/event", "pkg/dropreason", "pkg/kernel"}
	for pkg, others := range map[string][]string{
		"flamegraph":     nil,
		"pkg/event":      nil,
		"pkg/kernel":     nil,
		"pkg/dropreason": nil,
		"pkg/recording":  {"github.com/klauspost/compress", "github.com/go-json-experiment/json"},
	} {
		for _, system := range []string{"linux", "darwin"} {
			for _, p := range deps(t, system, pkg) {
				own, isOurs := strings.CutPrefix(p, module)
				if isOurs && slices.Contains(ours, own) && pkg != "flamegraph" && pkg != own {
					continue
				}
				if !slices.ContainsFunc(others, func(prefix string) bool { return strings.HasPrefix(p, prefix) }) {
					t.Errorf("%s imports %s on %s", pkg, p, system)
				}
			}
		}
	}
}

// TestPastEvents: what judges and adds up events knows nothing of where they come from.
func TestPastEvents(t *testing.T) {
	for _, pkg := range []string{"softirq", "stall", "ledger", "rtt", "profile", "stackfile", "spell"} {
		for _, p := range deps(t, "linux", "pkg/"+pkg) {
			for _, kernel := range []string{"github.com/cilium/", "github.com/vishvananda/", "github.com/safchain/", module + "bpf", module + "pkg/trace", module + "pkg/node"} {
				if strings.HasPrefix(p, kernel) {
					t.Errorf("pkg/%s imports %s", pkg, p)
				}
			}
		}
	}
}

// TestProgram: the lab is in no product, and no BPF on another system than Linux.
func TestProgram(t *testing.T) {
	for _, system := range []string{"linux", "darwin"} {
		for _, p := range deps(t, system, "cmd/dropwatch") {
			if strings.HasPrefix(p, module+"internal/") || system != "linux" && strings.HasPrefix(p, "github.com/cilium/") {
				t.Errorf("dropwatch for %s imports %s", system, p)
			}
		}
	}
}
