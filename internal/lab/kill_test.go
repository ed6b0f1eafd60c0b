// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// victim is the scenario that a process is told to prepare and then wait in.
const victim = "LAB_VICTIM"

// TestNothingIsLeftBehindOnKill kills a process in the middle of the scenario that
// reaches farthest outside its namespaces.
func TestNothingIsLeftBehindOnKill(t *testing.T) {
	labtest.NeedRoot(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), victim+"=cgroup-egress")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	programs := programsOf(t, cmd.Process.Pid)
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	cmd.Wait()
	if err != nil || line != "ready\n" || len(programs) == 0 {
		t.Fatalf("victim said %q, %v; it has BPF programs %v", line, err, programs)
	}
	err = await(t.Context(), "BPF programs to end", func() (bool, error) {
		return !slices.ContainsFunc(programs, loaded), nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestVictim is what the process to be killed does.
func TestVictim(t *testing.T) {
	for _, s := range Scenarios() {
		if s.Name != os.Getenv(victim) {
			continue
		}
		if _, err := s.Prepare(); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("ready\n")
		select {}
	}
}

// programsOf returns the BPF programs that a process holds by a file.
func programsOf(t *testing.T, pid int) (programs []ebpf.ProgramID) {
	t.Helper()
	infos, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range infos {
		id, err := field(info, func(line string) (string, bool) { return strings.CutPrefix(line, "prog_id:") })
		if err != nil {
			continue // no program, or closed meanwhile
		}
		n, err := strconv.ParseUint(strings.TrimSpace(id), 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, ebpf.ProgramID(n))
	}
	return programs
}

// loaded says whether the kernel has a program.
func loaded(id ebpf.ProgramID) bool {
	prog, err := ebpf.NewProgramFromID(id)
	if err != nil {
		return false
	}
	prog.Close()
	return true
}
