// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/privilege"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// TestDrop: once it records it has what it still needs alone, on all threads, and that is
// enough; a command that it runs has all that the user has.
func TestDrop(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-q", "--", "sh", "-c", "cat /proc/self/status >part; mv part status; exec sleep 60")
	by(static(t), cmd)
	begin(t, cmd, recording.DefaultName)
	own := threads(t, os.Getpid())[0]
	want := own.Permitted & privilege.Of(privilege.BPF, privilege.Perfmon, privilege.Syslog, privilege.SysPtrace,
		privilege.DACReadSearch, privilege.SysAdmin, privilege.Kill)
	for _, s := range threads(t, cmd.Process.Pid) {
		if s.Effective != want || s.Permitted != want || !s.NoNewPrivs {
			t.Errorf("a thread has %v, want %v", s.Effective, want)
		}
	}
	text := awaitFile(t, filepath.Join(cmd.Dir, "status"))
	child, err := privilege.ReadStatus(strings.NewReader(text))
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
	if status := cmd.ProcessState.ExitCode(); status != 128+int(unix.SIGINT) {
		t.Errorf("exit status %d: %s", status, stderr)
	}
	if !countsLinks(t, filepath.Join(cmd.Dir, recording.DefaultName), uint32(netns.Ino)) {
		t.Errorf("no counters of interfaces in a namespace that is new; notes: %s", notes(t, cmd))
	}
}

// awaitFile returns what a file holds once there is one.
func awaitFile(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(path)
		if err == nil {
			return string(text)
		}
		if !errors.Is(err, os.ErrNotExist) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// countsLinks reports whether a recording has counters of interfaces in a namespace.
func countsLinks(t *testing.T, path string, netns uint32) (found bool) {
	t.Helper()
	eachEvent(t, path, func(e event.Event) {
		if c, ok := e.(*event.Counters); ok {
			found = found || slices.ContainsFunc(c.Readings, func(r event.Reading) bool {
				return r.Counter.Source == event.CounterLink && r.Counter.Netns.Inode == netns
			})
		}
	})
	return found
}

// eachEvent calls do for every event of a recording, which must be whole.
func eachEvent(t *testing.T, path string, do func(event.Event)) {
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
	if err := profile.Each(src, func(e event.Event) error { do(e); return nil }); err != nil {
		t.Fatal(err)
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
			want := threads(t, os.Getpid())[0].Permitted & privilege.Of(privilege.Syslog, privilege.SysPtrace, privilege.DACReadSearch)
			kept := func(s privilege.Status) bool { return s.Effective == want && s.Permitted == want && s.NoNewPrivs }
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				all := threads(t, cmd.Process.Pid)
				if !slices.ContainsFunc(all, func(s privilege.Status) bool { return !kept(s) }) {
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
