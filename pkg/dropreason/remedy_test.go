// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// namedSysctl finds the settings that a text names.
var namedSysctl = regexp.MustCompile(`\b(net|vm)\.[a-zA-Z0-9_.]+[a-z0-9]`)

// TestRemedies holds what every class promises of what to check and to change.
func TestRemedies(t *testing.T) {
	for _, info := range slices.Concat(tables()...) {
		check, change := info.Check != "", info.Change != ""
		right := false
		switch info.Class {
		case ClassLoss, ClassPolicy:
			right = check && change
		case ClassPeerError, ClassUnknown:
			right = check
		case ClassBenign:
			right = !check && !change
		}
		if !right {
			t.Errorf("%s, %s: check %q, change %q", info.Name, info.Class, info.Check, info.Change)
		}
		for _, text := range []string{info.Check, info.Change} {
			if len(text) > 240 || strings.TrimSpace(text) != text || strings.Contains(text, "  ") {
				t.Errorf("%s: %d bytes, or spaces too many: %q", info.Name, len(text), text)
			}
		}
		if change && !strings.HasSuffix(info.Change, ".") {
			t.Errorf("%s: not a sentence: %q", info.Name, info.Change)
		}
	}
}

func TestAll(t *testing.T) {
	all := All()
	if len(all) != len(catalogue()) {
		t.Errorf("%d reasons, want %d", len(all), len(catalogue()))
	}
	order := Layers()
	for i, info := range all[1:] {
		before := all[i]
		a, b := slices.Index(order, before.Layer), slices.Index(order, info.Layer)
		if a > b || a == b && before.Name >= info.Name {
			t.Errorf("%s (%s) before %s (%s)", before.Name, before.Layer, info.Name, info.Layer)
		}
	}
}

func TestSpell(t *testing.T) {
	for _, name := range []string{"CPU_BACKLOG", "cpu_backlog", "SKB_DROP_REASON_CPU_BACKLOG", " skb_drop_reason_Cpu_Backlog"} {
		if got := Spell(name); got != "CPU_BACKLOG" {
			t.Errorf("Spell(%q) = %q", name, got)
		}
	}
}

func TestSimilar(t *testing.T) {
	names := []string{"CPU_BACKLOG", "SOCKET_BACKLOG", "TCP_CSUM", "UDP_CSUM"}
	for text, want := range map[string][]string{
		"backlog":                 {"CPU_BACKLOG", "SOCKET_BACKLOG"},
		"SKB_DROP_REASON_UDP":     {"UDP_CSUM"},
		"CPU_BACKLGO":             {"CPU_BACKLOG"},
		"tcp_checksum":            {"TCP_CSUM"},
		"XLOG":                    nil,
		"":                        nil,
		"TC":                      nil,
		"SKB_DROP_REASON_NOTHING": nil,
	} {
		if diff := cmp.Diff(want, Similar(text, names)); diff != "" {
			t.Errorf("Similar(%q) (-want +got):\n%s", text, diff)
		}
	}
}

// TestChangedSysctls has the present value of every setting shown that is to be
// changed.
func TestChangedSysctls(t *testing.T) {
	for _, info := range slices.Concat(tables()...) {
		for _, name := range namedSysctl.FindAllString(info.Change, -1) {
			if s := strings.Replace(name, ".DEV.", ".*.", 1); !slices.Contains(info.Sysctls, s) {
				t.Errorf("%s: %s is not among the sysctls", info.Name, s)
			}
		}
	}
}
