// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// said is what the test reads of doctor's document.
type said struct {
	Hooks []struct {
		Hook, Rung, Why string
		OK              bool
	}
	Limits   []struct{ Name, Value, Limit string }
	Notes    []string
	Findings []struct {
		ID, Severity, Explain string
		Fix, Undo             []string
	}
	Ledger []struct {
		Counter       string
		Delta, Traced uint64
		Unexplained   int64
		Trusted       bool
		Source, Netns string
	}
}

// TestDoctor has packets die in a full backlog while doctor watches.
func TestDoctor(t *testing.T) {
	labtest.NeedRoot(t)
	i := slices.IndexFunc(lab.Scenarios(), func(s lab.Scenario) bool { return s.Name == "cpu-backlog" })
	scene, err := lab.Scenarios()[i].Prepare()
	labtest.Need(t, err)
	defer func() {
		if err := scene.Close(); err != nil {
			t.Error(err)
		}
	}()
	done := make(chan struct{})
	lost := make(chan error, 1)
	go func() { // until doctor has seen enough
		for {
			if _, err := scene.Send(t.Context(), 500); err != nil {
				lost <- err
				return
			}
			select {
			case <-done:
				lost <- nil
				return
			default:
			}
		}
	}()
	cmd, _ := dropwatch(t, "doctor", "-f", "json", "-d", "1s", "--fail-on", "critical")
	out, err := cmd.Output()
	close(done)
	if err := <-lost; err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != statusThreshold {
		t.Errorf("error %v, want exit status %d", err, statusThreshold)
	}
	var d said
	if err := json.Unmarshal(out, &d); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range d.Findings {
		if f.ID == "backlog" && f.Severity == "critical" && len(f.Fix) > 0 && len(f.Undo) > 0 && strings.Contains(f.Fix[0], "netdev_max_backlog") {
			found = true
		}
	}
	if !found {
		t.Errorf("the backlog is not found: %+v", d.Findings)
	}
	for _, row := range d.Ledger {
		if row.Source == "softnet" && (row.Delta == 0 || !row.Trusted) {
			t.Errorf("the drops are not traced: %+v", row)
		}
	}
	tried := map[string]bool{}
	for _, h := range d.Hooks {
		if h.OK == (h.Why != "") {
			t.Errorf("hook %+v", h)
		}
		tried[h.Hook] = tried[h.Hook] || h.OK
	}
	for _, hook := range []string{"skb:kfree_skb", "icmp_echo", "net_rx_action", "irq:softirq_raise"} {
		if !tried[hook] {
			t.Errorf("%s does not work: %+v", hook, d.Hooks)
		}
	}
}

// TestDoctorUnprivileged asks what a user may know who is nobody.
func TestDoctorUnprivileged(t *testing.T) {
	labtest.NeedRoot(t)
	cmd, stderr := dropwatch(t, "doctor", "-f", "json", "-d", "200ms")
	self, err := filepath.EvalSymlinks(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	readable(t, self)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	var d said
	if err := json.Unmarshal(out, &d); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(d.Notes, func(note string) bool { return strings.Contains(note, "drops: ") }) {
		t.Errorf("it does not say that drops are not traced: %q", d.Notes)
	}
	limited := false
	for _, l := range d.Limits {
		limited = limited || l.Name == "capabilities" && strings.Contains(l.Limit, "CAP_BPF")
	}
	if !limited {
		t.Errorf("it does not say what it lacks: %+v", d.Limits)
	}
	for _, h := range d.Hooks {
		if h.Hook == "skb:kfree_skb" && (h.OK || h.Why == "") {
			t.Errorf("nobody attaches to %+v", h)
		}
	}
}
