// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// victim is set for a process that is told to send and then wait.
const victim = "INJECT_VICTIM"

// TestNothingIsLeftBehindOnKill kills a process whose child sends.
func TestNothingIsLeftBehindOnKill(t *testing.T) {
	labtest.NeedRoot(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), victim+"=1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	children := childrenOf(t, cmd.Process.Pid)
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	cmd.Wait()
	if err != nil || line != "ready\n" || len(children) != 1 {
		t.Fatalf("victim said %q, %v; it has children %v", line, err, children)
	}
	err = await("end of the child", patience, func() (bool, error) {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", children[0]))
		return err != nil || strings.Contains(string(state), ") Z "), nil
	})
	if err != nil {
		t.Error(err)
	}
	open(t, BHOff) // waits until all that the victim held is free
}

// TestVictim is what the process to be killed does.
func TestVictim(t *testing.T) {
	if os.Getenv(victim) == "" {
		return
	}
	b := open(t, RTStarve)
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	err := await("first packet", patience, func() (bool, error) {
		return b.traffic.sender.log.sent > 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("ready\n")
	select {}
}

// childrenOf returns the child processes of a process.
func childrenOf(t *testing.T, pid int) (children []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		content, err := os.ReadFile(list)
		if err != nil {
			continue // the thread is gone
		}
		for _, field := range strings.Fields(string(content)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			children = append(children, child)
		}
	}
	return children
}
