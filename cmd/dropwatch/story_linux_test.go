// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

const backlogSetting = "/proc/sys/net/core/netdev_max_backlog"

// TestBacklogStory tells the story of the node whose backlog was too small: its script
// fails unless doctor names the setting and its fix ends the loss.
func TestBacklogStory(t *testing.T) {
	labtest.NeedRoot(t)
	program := filepath.Join(t.TempDir(), "dropwatch")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	before, err := os.ReadFile(backlogSetting)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("../../scripts/backlog-story", program).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"CPU_BACKLOG", "# sysctl -w net.core.netdev_max_backlog=", "gone"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the story lacks %q:\n%s", want, out)
		}
	}
	if after, err := os.ReadFile(backlogSetting); err != nil || string(after) != string(before) {
		t.Errorf("the setting is %q, was %q, error %v", after, before, err)
	}
}
