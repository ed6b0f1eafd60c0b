// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/capability"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// TestAmbient: an ordinary user with capabilities records.
func TestAmbient(t *testing.T) {
	path := static(t)
	const hidden = "CAP_SYSLOG (for names in stacks) is missing"
	for _, test := range []struct {
		name     string
		has      []capability.Capability
		nameless bool
	}{
		{"names", []capability.Capability{capability.BPF, capability.Perfmon, capability.Syslog}, false},
		{"no names", []capability.Capability{capability.BPF, capability.Perfmon}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd, stderr := dropwatch(t, "record", "-q")
			by(path, cmd)
			asUser(t, cmd, test.has...)
			setSysctl(t, "kernel.kptr_restrict", "1")
			begin(t, cmd, recording.DefaultName)
			want := capability.Of(test.has...)
			for _, s := range threads(t, cmd.Process.Pid) {
				if s.Effective != want || s.Permitted != want || s.Ambient != 0 || !s.NoNewPrivs {
					t.Errorf("a thread has %v of %v, and hands on %v", s.Effective, want, s.Ambient)
				}
			}
			recordsDrops(t, cmd, recording.DefaultName, closedPort(t))
			if strings.Contains(notes(t, cmd), hidden) != test.nameless || stderr.Len() > 0 {
				t.Errorf("notes %q, says %q", notes(t, cmd), stderr)
			}
		})
	}
	for _, command := range []string{"stalls", "icmp"} {
		t.Run(command, func(t *testing.T) {
			cmd, stderr := dropwatch(t, command, "-d", "200ms")
			by(path, cmd)
			asUser(t, cmd, capability.BPF, capability.Perfmon)
			if err := cmd.Run(); err != nil || strings.Contains(stderr.String(), "warning") {
				t.Errorf("%v: %s", err, stderr)
			}
		})
	}
}

// TestMissing names the capabilities that are missing, and what cannot be done then.
func TestMissing(t *testing.T) {
	const bpf, perfmon = "CAP_BPF (to load programs)", "CAP_PERFMON (to trace)"
	for _, command := range []string{"record", "stalls", "icmp"} {
		for name, test := range map[string]struct {
			has  []capability.Capability
			says []string
		}{
			"all":     {nil, []string{"lacks " + bpf + ", " + perfmon + ": ", "grant CAP_BPF and CAP_PERFMON;"}},
			"BPF":     {[]capability.Capability{capability.Perfmon}, []string{"lacks " + bpf + ": ", "run with sudo, or grant CAP_BPF;"}},
			"PERFMON": {[]capability.Capability{capability.BPF}, []string{"lacks " + perfmon + ": ", "run with sudo, or grant CAP_PERFMON;"}},
		} {
			t.Run(command+" "+name, func(t *testing.T) {
				cmd, stderr := dropwatch(t, command)
				asUser(t, cmd, test.has...)
				fails(t, cmd, stderr, statusPrivilege, append(test.says, "error: cannot trace this kernel: ", "permission denied")...)
				if strings.Contains(stderr.String(), "MEMLOCK") {
					t.Errorf("guesses: %s", stderr)
				}
			})
		}
	}
}

// TestDrop: once it records it has what it still needs alone, on all threads, and that is
// enough; a command that it runs has all that the user has.
func TestDrop(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-q", "--", "sh", "-c", "cat /proc/self/status >status; exec sleep 60")
	by(static(t), cmd)
	begin(t, cmd, recording.DefaultName)
	own := threads(t, os.Getpid())[0]
	want := own.Permitted & capability.Of(capability.BPF, capability.Perfmon, capability.Syslog, capability.SysPtrace,
		capability.DACReadSearch, capability.SysAdmin, capability.Kill)
	for _, s := range threads(t, cmd.Process.Pid) {
		if s.Effective != want || s.Permitted != want || !s.NoNewPrivs {
			t.Errorf("a thread has %v, want %v", s.Effective, want)
		}
	}
	text, err := os.ReadFile(filepath.Join(cmd.Dir, "status"))
	if err != nil {
		t.Fatal(err)
	}
	child, err := capability.ReadStatus(strings.NewReader(string(text)))
	if err != nil || *child != own {
		t.Errorf("the command has %+v, %v; want %+v", child, err, own)
	}

	inside := exec.Command("sleep", "60") // in a namespace that appears during the recording
	inside.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if err := inside.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inside.Wait() }()
	defer func() { _ = inside.Process.Kill() }()
	var netns unix.Stat_t
	if err := unix.Stat(fmt.Sprintf("/proc/%d/ns/net", inside.Process.Pid), &netns); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second) // counters are read each second
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // with the command's status
	if status := cmd.ProcessState.ExitCode(); status != 128+int(unix.SIGTERM) {
		t.Errorf("exit status %d: %s", status, stderr)
	}
	if !countsLinks(t, filepath.Join(cmd.Dir, recording.DefaultName), uint32(netns.Ino)) {
		t.Errorf("no counters of interfaces in a namespace that is new; notes: %s", notes(t, cmd))
	}
}

// countsLinks reports whether a recording has counters of interfaces in a namespace.
func countsLinks(t *testing.T, path string, netns uint32) bool {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	src, err := recording.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for {
		e, err := src.Next()
		if errors.Is(err, io.EOF) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := e.(*event.Counters); ok && slices.ContainsFunc(c.Readings, func(r event.Reading) bool {
			return r.Counter.Source == event.CounterLink && r.Counter.Netns.Inode == netns
		}) {
			return true
		}
	}
}

// TestDropStalls: the live commands drop what they need no more, too.
func TestDropStalls(t *testing.T) {
	path := static(t)
	for _, command := range []string{"stalls", "icmp"} {
		t.Run(command, func(t *testing.T) {
			cmd, stderr := dropwatch(t, command)
			by(path, cmd)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			want := threads(t, os.Getpid())[0].Permitted & capability.Of(capability.Syslog, capability.SysPtrace, capability.DACReadSearch)
			kept := func(s capability.Status) bool { return s.Effective == want && s.Permitted == want && s.NoNewPrivs }
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				all := threads(t, cmd.Process.Pid)
				if !slices.ContainsFunc(all, func(s capability.Status) bool { return !kept(s) }) {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("threads have %+v, want %v", all, want)
				}
			}
			if err := errors.Join(cmd.Process.Signal(unix.SIGINT), cmd.Wait()); err != nil {
				t.Errorf("%v: %s", err, stderr)
			}
		})
	}
}

// TestFileCapabilities: a binary that bears them is for every user who may run it.
func TestFileCapabilities(t *testing.T) {
	path := static(t)
	set := capability.Of(capability.BPF, capability.Perfmon, capability.Syslog)
	const revision2, effective = 0x02000000, 1 // VFS_CAP_REVISION_2, include/uapi/linux/capability.h
	var data []byte
	for _, word := range []uint32{revision2 | effective, uint32(set), 0, uint32(set >> 32), 0} {
		data = binary.LittleEndian.AppendUint32(data, word)
	}
	if err := unix.Setxattr(path, "security.capability", data, 0); err != nil {
		t.Fatal(err)
	}
	cmd, stderr := dropwatch(t, "record", "-q")
	by(path, cmd)
	asUser(t, cmd)
	begin(t, cmd, recording.DefaultName)
	recordsDrops(t, cmd, recording.DefaultName, closedPort(t))
	if stderr.Len() > 0 {
		t.Errorf("says %s", stderr)
	}
}

// setSysctl sets a sysctl for the length of a test.
func setSysctl(t *testing.T, name, value string) {
	t.Helper()
	path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(path, was, 0); err != nil {
			t.Error(err)
		}
	})
}
