// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// inNamespace is a variable that has this test binary say what it makes of /proc, "mount"
// after it mounted one of its own.
const inNamespace = "DROPWATCH_TEST_PIDS"

// TestPIDNamespaces looks at /proc from another PID namespace, as in a container.
func TestPIDNamespaces(t *testing.T) {
	if how := os.Getenv(inNamespace); how != "" {
		sayForeign(t, how)
		return
	}
	labtest.NeedRoot(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		flags   uintptr
		mount   string
		foreign bool
	}{
		"the first one":            {0, "no", false},
		"another one":              {unix.CLONE_NEWPID | unix.CLONE_NEWNS, "mount", true},
		"another with the first's": {unix.CLONE_NEWPID, "no", false},
		"the first with another's": {0, "another", true},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(self, "-test.run=^TestPIDNamespaces$", "-test.v")
			cmd.Env = append(os.Environ(), inNamespace+"="+test.mount)
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: test.flags}
			if test.mount == "another" {
				other := exec.Command("unshare", "--pid", "--fork", "--mount-proc", "sleep", "600")
				other.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				if err := other.Start(); err != nil {
					t.Fatal(err)
				}
				defer func() {
					_ = syscall.Kill(-other.Process.Pid, syscall.SIGKILL)
					_ = other.Wait()
				}()
				cmd = exec.Command("nsenter", append([]string{"--mount", "--target", strconv.Itoa(mounted(t, other.Process.Pid))}, cmd.Args...)...)
				cmd.Env = append(os.Environ(), inNamespace+"=no")
			}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if want := fmt.Sprintf("foreign: %t", test.foreign); !strings.Contains(string(out), want) {
				t.Errorf("want %s:\n%s", want, out)
			}
		})
	}
}

// mounted waits until unshare has mounted a /proc and returns its process: another mount
// namespace is there before that.
func mounted(t *testing.T, pid int) int {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mounts", pid))
		if err == nil && strings.Count(string(mounts), " /proc proc ") > 1 {
			return pid
		}
	}
	t.Fatal("unshare mounts no /proc")
	return 0
}

// sayForeign runs in a namespace of its own.
func sayForeign(t *testing.T, how string) {
	if how == "mount" {
		err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		if err = errors.Join(err, unix.Mount("proc", "/proc", "proc", 0, "")); err != nil {
			t.Fatal(err)
		}
	}
	foreign := foreignPIDs("/proc")
	fmt.Printf("foreign: %t\n", foreign)
	users, note := newUsers()
	if (users == nil) != foreign || (note == "") == foreign || newTasks().foreign != foreign {
		t.Errorf("users %v, note %q, tasks %+v", users, note, newTasks())
	}
}

// TestUnnamedUserStack keeps the addresses of a stack whose process cannot be looked at.
func TestUnnamedUserStack(t *testing.T) {
	r := newResolver(0, newStacks(names{}, 127), nil)
	s := &bpf.StallCpuSample{UserLen: 16}
	s.At.Task.Tgid = uint32(os.Getpid())
	s.User[0], s.User[1] = 0x401000, 0x402000
	got := r.sample(s).User
	if want := []event.Frame{{Addr: 0x401000}, {Addr: 0x402000}}; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v, want %+v", got, want)
	}
}
