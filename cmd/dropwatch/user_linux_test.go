// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/privilege"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// nobody is a user and a group without rights.
const nobody = 65534

// static builds dropwatch as it is shipped, which is without cgo, where others may read
// it. The test's own binary uses cgo, and cannot drop capabilities.
func static(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dropwatch")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	readable(t, path)
	return path
}

// by has another binary run a command of dropwatch.
func by(path string, cmd *exec.Cmd) { cmd.Path, cmd.Args[0] = path, path }

// asUser has a command run by an ordinary user with ambient capabilities, in a directory
// of that user's.
func asUser(t *testing.T, cmd *exec.Cmd, capabilities ...privilege.Capability) {
	t.Helper()
	self, err := filepath.EvalSymlinks(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	readable(t, self)
	readable(t, filepath.Join(cmd.Dir, "file"))
	if err := os.Chown(cmd.Dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	for _, c := range capabilities {
		cmd.SysProcAttr.AmbientCaps = append(cmd.SysProcAttr.AmbientCaps, uintptr(c))
	}
}

// threads returns the privileges of each thread of a recorder, once it has dropped what
// it does not need, which is right after its recording has a name.
func threads(t *testing.T, pid int) []privilege.Status {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		all := threadsNow(t, pid)
		if !slices.ContainsFunc(all, func(s privilege.Status) bool { return !s.NoNewPrivs || s.Ambient != 0 }) || time.Now().After(deadline) {
			return all
		}
	}
}

func threadsNow(t *testing.T, pid int) (all []privilege.Status) {
	t.Helper()
	files, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/status")
	if err != nil || len(files) == 0 {
		t.Fatalf("threads of %d: %v, %v", pid, files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // a thread that ended
		}
		if err != nil {
			t.Fatal(err)
		}
		status, err := privilege.ReadStatus(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, *status)
	}
	return all
}

// recordsDrops runs a recording that has begun while datagrams die, ends it, and checks
// that it has them.
func recordsDrops(t *testing.T, cmd *exec.Cmd, file string, to *net.UDPAddr) {
	t.Helper()
	const datagrams = 9
	send(t, to, datagrams)
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %v", err, cmd.Stderr)
	}
	if drops, end := inFile(t, filepath.Join(cmd.Dir, file), to.Port); drops != datagrams || end != io.EOF {
		t.Errorf("%d of %d drops, then %v", drops, datagrams, end)
	}
}

// notes returns what a recording notes of itself.
func notes(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	file, err := os.Open(filepath.Join(cmd.Dir, recording.DefaultName))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	src, err := recording.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	return strings.Join(src.Meta().Notes, "\n")
}
