// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/privilege"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

const (
	unitFile      = "../../deploy/dropwatch.service"
	unitBinary    = "/usr/local/bin/dropwatch"
	unitDirectory = "/var/lib/dropwatch"
)

// unit reads the settings of the unit that is shipped. None is there twice.
func unit(t *testing.T) (text string, settings map[string]string) {
	t.Helper()
	content, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	settings = map[string]string{}
	for line := range strings.Lines(string(content)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		if _, twice := settings[name]; twice {
			t.Errorf("%s is there twice", name)
		}
		settings[name] = value
	}
	return string(content), settings
}

// TestUnit runs the unit's command line as a user with no more than the unit grants.
func TestUnit(t *testing.T) {
	_, settings := unit(t)
	path := static(t)
	cmd, stderr := dropwatch(t)
	asUser(t, cmd) // for the directory; setpriv changes the user
	cmd.SysProcAttr = nil
	line := strings.ReplaceAll(settings["ExecStart"], unitDirectory, cmd.Dir)
	args := strings.Fields(strings.Replace(line, unitBinary, path, 1))
	if args[0] != path || settings["NoNewPrivileges"] != "yes" || settings["DynamicUser"] != "yes" {
		t.Fatalf("%q", settings)
	}
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Fatal(err)
	}
	ambient := "-all" + setprivNames(settings["AmbientCapabilities"])
	cmd.Path = setpriv
	cmd.Args = append([]string{
		"setpriv", "--reuid", strconv.Itoa(nobody), "--regid", strconv.Itoa(nobody), "--clear-groups", "--no-new-privs",
		"--bounding-set", "-all" + setprivNames(settings["CapabilityBoundingSet"]), "--inh-caps", ambient, "--ambient-caps", ambient,
	}, args...)
	setSysctl(t, "kernel.kptr_restrict", "1")
	begin(t, cmd, recording.DefaultName)
	granted := strings.Fields(settings["AmbientCapabilities"])
	for _, s := range threads(t, cmd.Process.Pid) {
		if names := strings.Fields(s.Effective.String()); len(names) != len(granted) || s.Bounding != s.Effective {
			t.Errorf("a thread has %v, the unit grants %v", s.Effective, granted)
		}
		if !s.Effective.Has(privilege.BPF) || s.Ambient != 0 {
			t.Errorf("a thread has %v and hands on %v", s.Effective, s.Ambient)
		}
	}
	recordsDrops(t, cmd, recording.DefaultName, closedPort(t))
	if got := notes(t, cmd); strings.Contains(got, "no symbols") || strings.Contains(got, "not recorded") || stderr.Len() > 0 {
		t.Errorf("notes %q, says %q", got, stderr)
	}
}

// setprivNames spells capabilities as setpriv takes them: ,+bpf,+perfmon.
func setprivNames(capabilities string) (names string) {
	for _, name := range strings.Fields(capabilities) {
		names += ",+" + strings.ToLower(strings.TrimPrefix(name, "CAP_"))
	}
	return names
}

// TestUnitVerify has systemd look for mistakes in the unit.
func TestUnitVerify(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		labtest.Need(t, fmt.Errorf("find systemd-analyze: %w", errors.ErrUnsupported))
	}
	text, _ := unit(t)
	path := filepath.Join(t.TempDir(), "dropwatch.service")
	text = strings.ReplaceAll(text, unitBinary, "/bin/true") // it has to be there
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}
