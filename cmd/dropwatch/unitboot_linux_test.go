// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// TestUnitBoots has systemd run the unit, with its users, capabilities, mounts and filters,
// in a container made of this machine's files.
func TestUnitBoots(t *testing.T) {
	labtest.NeedRoot(t)
	nspawn, err := exec.LookPath("systemd-nspawn")
	if err != nil {
		labtest.Need(t, fmt.Errorf("find systemd-nspawn: %w", errors.ErrUnsupported))
	}
	const target = "unit-test.target"
	text, _ := unit(t)
	root := overlay(t)
	binary, err := os.ReadFile(static(t))
	if err != nil {
		t.Fatal(err)
	}
	install(t, filepath.Join(root, unitBinary), binary, 0o755)
	install(t, filepath.Join(root, "etc/systemd/system/dropwatch.service"), []byte(text), 0o644)
	install(t, filepath.Join(root, "etc/systemd/system", target),
		[]byte("[Unit]\nRequires=dropwatch.service\nAfter=dropwatch.service\n"), 0o644)

	setSysctl(t, "kernel.kptr_restrict", "1")
	cmd := exec.CommandContext(t.Context(), nspawn, "-q", "-D", root, "--machine=dropwatch-unit-test",
		"--register=no", "--keep-unit", "--console=pipe", "--link-journal=no",
		"--capability=CAP_BPF,CAP_PERFMON,CAP_SYSLOG", "--system-call-filter=bpf perf_event_open",
		"-b", "--", "--unit="+target)
	cmd.Env = append(os.Environ(), "SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes") // else /proc/kallsyms is hidden
	cmd.Dir, cmd.Cancel = root, func() error { return cmd.Process.Signal(unix.SIGTERM) }
	var console bytes.Buffer
	cmd.Stdout, cmd.Stderr = &console, &console
	const state = "var/lib/private/dropwatch" // where DynamicUser= has StateDirectory=
	begin(t, cmd, filepath.Join(state, recording.DefaultName))
	const datagrams = 9
	to := closedPort(t)
	send(t, to, datagrams)
	if err := errors.Join(cmd.Process.Signal(unix.SIGTERM), cmd.Wait()); err != nil {
		t.Fatalf("%v: %s", err, &console)
	}
	cmd.Dir = filepath.Join(root, state)
	file := filepath.Join(cmd.Dir, recording.DefaultName)
	if drops, end := inFile(t, file, to.Port); drops != datagrams || end != io.EOF {
		t.Errorf("%d of %d drops, then %v", drops, datagrams, end)
	}
	if got := notes(t, cmd); strings.Contains(got, "no symbols") || strings.Contains(got, "not recorded") {
		t.Errorf("notes %q", got)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; uid == 0 || info.Mode().Perm() != 0o600 {
		t.Errorf("the recording belongs to user %d, mode %v", uid, info.Mode())
	}
}

// overlay returns this machine's files, with changes that go with the test.
func overlay(t *testing.T) (root string) {
	t.Helper()
	dir := t.TempDir()
	mountFor(t, "tmpfs", dir, "")
	for _, name := range []string{"upper", "work", "root"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	root = filepath.Join(dir, "root")
	mountFor(t, "overlay", root, fmt.Sprintf("lowerdir=/,upperdir=%s/upper,workdir=%s/work", dir, dir))
	return root
}

func mountFor(t *testing.T, kind, dir, options string) {
	t.Helper()
	if err := unix.Mount("none", dir, kind, 0, options); err != nil {
		t.Fatalf("mount %s: %v", kind, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
}

func install(t *testing.T, path string, content []byte, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
}
