// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/privilege"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// TestUserNamespace: capabilities in a user namespace do not count.
func TestUserNamespace(t *testing.T) {
	cmd, stderr := dropwatch(t, "record")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
	}
	fails(t, cmd, stderr, statusPrivilege, "this process is in a user namespace", "permission denied", "hint: run it in the initial user namespace")
}

// denied is the variable that makes TestSeccomp deny bpf(2) to itself and run dropwatch.
const denied = "DROPWATCH_TEST_DENIED"

// TestSeccomp: with all capabilities a filter of system calls still denies.
func TestSeccomp(t *testing.T) {
	if os.Getenv(denied) != "" {
		runtime.LockOSThread()
		if err := denyBPF(); err != nil {
			t.Fatal(err)
		}
		t.Fatal(unix.Exec("/proc/self/exe", []string{"dropwatch", os.Getenv(denied)}, append(os.Environ(), asDropwatch+"=1")))
	}
	for _, command := range []string{"record", "stalls", "icmp"} {
		cmd, stderr := dropwatch(t, "-test.run", "^TestSeccomp$")
		cmd.Env = append(os.Environ(), denied+"="+command)
		fails(t, cmd, stderr, statusPrivilege, "no capability is missing, but a seccomp filter", "permission denied",
			"hint: allow bpf(2)")
	}
}

// denyBPF has bpf(2) fail with EPERM on this thread, and in what it runs.
func denyBPF() error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_BPF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

// among has a command run in a mount namespace of its own, after a script that changes
// what is mounted there.
func among(cmd *exec.Cmd, script string) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS} // mounts are private then
	cmd.Args = append([]string{"sh", "-ec", script + `; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
}

// hideBTF is a script that hides the kernel's types, at all places where they may be.
const hideBTF = "for d in /sys/kernel/btf /boot; do mount -t tmpfs none $d; done"

// TestNoBTF: of a kernel that does not tell its types record counts drops and takes
// stacks, and says what is missing; the others need a file of the types.
func TestNoBTF(t *testing.T) {
	for _, command := range []string{"stalls", "icmp"} {
		cmd, stderr := dropwatch(t, command)
		among(cmd, hideBTF)
		fails(t, cmd, stderr, statusKernel, "error: cannot trace this kernel: read kernel BTF: no /sys/kernel/btf/vmlinux", "hint: ", "--btf FILE")
	}
	cmd, stderr := dropwatch(t, "record")
	among(cmd, hideBTF)
	begin(t, cmd, recording.DefaultName)
	const datagrams = 9
	send(t, closedPort(t), datagrams)
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if n := ownUDP(t, filepath.Join(cmd.Dir, recording.DefaultName)); n != datagrams {
		t.Errorf("%d drops of this process in UDP, want %d", n, datagrams)
	}
	for _, said := range []string{stderr.String(), notes(t, cmd)} {
		for _, want := range []string{
			"packets cannot be read; drops carry only reason, location and stack: no /sys/kernel/btf/vmlinux",
			"stalls are not recorded: no /sys/kernel/btf/vmlinux",
		} {
			if !strings.Contains(said, want) {
				t.Errorf("%q does not say %q", said, want)
			}
		}
	}
}

// ownUDP counts a recording's sampled drops in the context of this process, by UDP's
// function on receive.
func ownUDP(t *testing.T, path string) (drops uint64) {
	t.Helper()
	eachEvent(t, path, func(e event.Event) {
		if d, ok := e.(*event.Drop); ok && int(d.Task.TGID) == os.Getpid() && d.Cell.Location.Symbol == "__udp4_lib_rcv" {
			drops += d.Drops
		}
	})
	return drops
}

// TestReasonsNoBTF: tracefs has the same numbers for root, and nobody has any without it.
func TestReasonsNoBTF(t *testing.T) {
	list := func(change string) string {
		cmd, stderr := dropwatch(t, "reasons", "-f", "json", "NETFILTER_DROP", "CPU_BACKLOG")
		among(cmd, change)
		text, err := cmd.Output()
		if err != nil || stderr.Len() > 0 {
			t.Fatalf("%s: %v: %s", change, err, stderr)
		}
		return string(text)
	}
	const tracefs = "umount -l /sys/kernel/tracing /sys/kernel/debug 2>/dev/null || true"
	want := list("true")
	if got := list(hideBTF + "; " + tracefs + "; mount -t tracefs none /sys/kernel/tracing"); got != want || strings.Contains(got, `"kernel": null`) {
		t.Errorf("with tracefs alone:\n%s\nwant as with BTF:\n%s", got, want)
	}
	if got := list(hideBTF + "; " + tracefs); !strings.Contains(got, `"kernel": null`) {
		t.Errorf("with neither: %s", got)
	}
}

// TestBTFFile traces by the types in a file.
func TestBTFFile(t *testing.T) {
	text, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	if err != nil {
		t.Fatal(err)
	}
	types := filepath.Join(t.TempDir(), "types")
	if err := os.WriteFile(types, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, stderr := dropwatch(t, "record", "-q", "--btf", types)
	among(cmd, hideBTF)
	begin(t, cmd, recording.DefaultName)
	recordsDrops(t, cmd, recording.DefaultName, closedPort(t)) // by the reason's name
	if got := notes(t, cmd); strings.Contains(got, "not recorded") || strings.Contains(got, "not read,") {
		t.Errorf("notes %q, says %s", got, stderr)
	}
	for _, command := range []string{"stalls", "icmp"} {
		cmd, stderr := dropwatch(t, command, "-d", "200ms", "--btf", types)
		among(cmd, hideBTF)
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v: %s", command, err, stderr)
		}
	}

	cmd, stderr = dropwatch(t, "record", "--btf", "/proc/version")
	fails(t, cmd, stderr, statusFailed, "read BTF of /proc/version: ")
	cmd, stderr = dropwatch(t, "record", "--btf", "/bin/sh") // which has a build ID, too
	fails(t, cmd, stderr, statusFailed, "/bin/sh belongs to another kernel (build ID ")
	cmd, stderr = dropwatch(t, "record", "--btf", "/nonexistent")
	fails(t, cmd, stderr, statusFailed, "read BTF of /nonexistent: ", "no such file or directory")
}

// TestNoTracefs: nothing needs it.
func TestNoTracefs(t *testing.T) {
	for _, command := range [][]string{{"record", "-d", "200ms"}, {"stalls", "-d", "200ms"}, {"icmp", "-d", "200ms"}} {
		cmd, stderr := dropwatch(t, command...)
		among(cmd, "umount -l /sys/kernel/tracing /sys/kernel/debug 2>/dev/null || test ! -e /sys/kernel/tracing/events")
		if err := cmd.Run(); err != nil || strings.Contains(stderr.String(), "not recorded: ") {
			t.Errorf("%v: %v: %s", command, err, stderr)
		}
	}
}

// TestHiddenAddresses: stacks have no names, and the recording says why.
func TestHiddenAddresses(t *testing.T) {
	setSysctl(t, "kernel.kptr_restrict", "2")
	cmd, stderr := dropwatch(t, "record")
	begin(t, cmd, recording.DefaultName)
	recordsDrops(t, cmd, recording.DefaultName, closedPort(t))
	const why = "no symbols: the kernel hides its addresses: sysctl kernel.kptr_restrict is 2"
	if !strings.Contains(stderr.String(), why) || !strings.Contains(notes(t, cmd), why) {
		t.Errorf("does not say why there are no symbols: %s", stderr)
	}
}

// TestParanoid: what perf_event_paranoid keeps from users is not needed.
func TestParanoid(t *testing.T) {
	setSysctl(t, "kernel.perf_event_paranoid", "3")
	for _, command := range []string{"record", "stalls", "icmp"} {
		cmd, stderr := dropwatch(t, command, "-d", "200ms")
		asUser(t, cmd, privilege.BPF, privilege.Perfmon)
		if err := cmd.Run(); err != nil || strings.Contains(stderr.String(), "not recorded: ") {
			t.Errorf("%s: %v: %s", command, err, stderr)
		}
	}
}

// TestNoReader: a pipe that nobody reads ends a recording with an error, not a panic.
func TestNoReader(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-q", "-o", "-")
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	first := make([]byte, 1)
	if _, err := io.ReadFull(out, first); err != nil {
		t.Fatal(err)
	}
	out.Close()
	send(t, closedPort(t), 100)
	_ = cmd.Wait() // a signal or a status, both are compared
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !status.Signaled() && status.ExitStatus() != statusFailed || bytes.Contains(stderr.Bytes(), []byte("panic")) {
		t.Errorf("%v: %s", cmd.ProcessState, stderr)
	}
}
