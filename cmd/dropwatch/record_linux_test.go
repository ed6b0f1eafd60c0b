// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// dropwatch returns a command that runs dropwatch in a directory of its own, and
// what it writes to standard error.
func dropwatch(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	labtest.NeedRoot(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asDropwatch+"=1", "SUDO_UID=", "SUDO_GID=")
	cmd.Dir = t.TempDir()
	stderr := new(bytes.Buffer)
	cmd.Stderr = stderr
	return cmd, stderr
}

// begin starts a recording and waits until it records.
func begin(t *testing.T, cmd *exec.Cmd, file string) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		if info, err := os.Stat(filepath.Join(cmd.Dir, file)); err == nil && info.Size() > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing is recorded: %v", cmd.Stderr)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// closedPort returns a UDP port on loopback that nobody listens on.
func closedPort(t *testing.T) *net.UDPAddr {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr)
}

// send sends datagrams from an unconnected socket, which hears of no error.
func send(t *testing.T, to *net.UDPAddr, n int) {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range n {
		if _, err := c.WriteTo([]byte("drop me"), to); err != nil {
			t.Fatal(err)
		}
	}
}

// toPort counts a recording's sampled drops to a port, and returns how it ends.
func toPort(t *testing.T, r io.Reader, port int) (drops uint64, end error) {
	t.Helper()
	src, err := recording.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for {
		e, err := src.Next()
		if err != nil {
			return drops, err
		}
		if d, ok := e.(*event.Drop); ok && int(d.Packet.DstPort) == port && d.Cell.Reason.Name == "NO_SOCKET" {
			drops += d.Drops
		}
	}
}

func inFile(t *testing.T, path string, port int) (uint64, error) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return toPort(t, file, port)
}

// TestSignals: the first signal ends a recording in order.
func TestSignals(t *testing.T) {
	for _, signal := range []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT} {
		t.Run(signal.String(), func(t *testing.T) {
			cmd, stderr := dropwatch(t, "record")
			begin(t, cmd, recording.DefaultName)
			to := closedPort(t)
			send(t, to, 7)
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatalf("%v: %s", err, stderr)
			}
			path := filepath.Join(cmd.Dir, recording.DefaultName)
			if drops, end := inFile(t, path, to.Port); drops != 7 || !errors.Is(end, io.EOF) {
				t.Errorf("%d drops to the port, want 7; the recording ends with %v", drops, end)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v; want a file only its owner may read", info.Mode(), err)
			}
			for _, want := range []string{"NO_SOCKET", " counted, ", "nothing lost"} {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("no %q in the summary:\n%s", want, stderr)
				}
			}
		})
	}
}

// TestKilled: after SIGKILL the recording is readable and the kernel clean.
func TestKilled(t *testing.T) {
	cmd, _ := dropwatch(t, "record")
	begin(t, cmd, recording.DefaultName)
	if programs(t) == 0 {
		t.Error("no program is loaded while recording")
	}
	to := closedPort(t)
	send(t, to, 7)
	time.Sleep(500 * time.Millisecond) // samples are read and flushed every 100 ms
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its error is the signal
	drops, end := inFile(t, filepath.Join(cmd.Dir, recording.DefaultName), to.Port)
	if _, cut := event.AsCut(end); drops != 7 || !cut {
		t.Errorf("%d drops to the port, want 7; the recording ends with %v", drops, end)
	}
	deadline := time.Now().Add(10 * time.Second)
	for programs(t) != 0 {
		if time.Now().After(deadline) {
			t.Fatalf("%d programs are left in the kernel", programs(t))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// programs counts dropwatch's programs in the kernel.
func programs(t *testing.T) (n int) {
	t.Helper()
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		id = next
		p, err := ebpf.NewProgramFromID(id)
		if errors.Is(err, os.ErrNotExist) {
			continue // gone since
		}
		if err != nil {
			t.Fatal(err)
		}
		if info, err := p.Info(); err == nil && strings.HasPrefix(info.Name, "kfree_skb_") {
			n++
		}
		_ = p.Close()
	}
}

// TestCommand: a recording lasts as long as its command, and ends as it does.
func TestCommand(t *testing.T) {
	for name, test := range map[string]struct {
		command []string
		status  int
	}{
		"success":      {[]string{"true"}, 0},
		"failure":      {[]string{"sh", "-c", "exit 7"}, 7},
		"killed":       {[]string{"sh", "-c", "kill -9 $$"}, 128 + 9},
		"no such file": {[]string{"/nonexistent"}, 1},
		"hung up":      {[]string{"sh", "-c", "kill -1 $$"}, 128 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, stderr := dropwatch(t, append([]string{"record", "-q", "--"}, test.command...)...)
			_ = cmd.Run() // the status is compared
			if status := cmd.ProcessState.ExitCode(); status != test.status {
				t.Errorf("exit status %d, want %d: %s", status, test.status, stderr)
			}
		})
	}
	t.Run("output", func(t *testing.T) {
		cmd, stderr := dropwatch(t, "record", "--", "echo", "from the command")
		out, err := cmd.Output()
		if err != nil || string(out) != "from the command\n" {
			t.Errorf("%q, %v: %s", out, err, stderr)
		}
	})
}

// TestSecondSignal ends the process, though its command will not end.
func TestSecondSignal(t *testing.T) {
	cmd, _ := dropwatch(t, "record", "-q", "--", "sh", "-c", `trap "" INT; echo $$ >pid; while :; do sleep 1; done`)
	cmd.Stderr = nil                                     // the command holds it open longer than dropwatch
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // away from a terminal
	begin(t, cmd, "pid")
	pid, err := os.ReadFile(filepath.Join(cmd.Dir, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = exec.Command("kill", "-9", strings.TrimSpace(string(pid))).Run() }()
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		t.Fatalf("ended at the first signal, while its command runs: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("goes on after the second signal")
	}
	if status := cmd.ProcessState.ExitCode(); status != 128+int(unix.SIGINT) {
		t.Errorf("exit status %d, want %d", status, 128+int(unix.SIGINT))
	}
}

// TestStream: a recording on standard output can be read while it is made.
func TestStream(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-q", "-o", "-")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	src, err := recording.NewReader(out) // returns when the header is there
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	to := closedPort(t)
	send(t, to, 1)
	for {
		e, err := src.Next()
		if err != nil {
			t.Fatalf("%v: %s", err, stderr)
		}
		if d, ok := e.(*event.Drop); ok && int(d.Packet.DstPort) == to.Port {
			break // it was read before the end
		}
	}
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, stderr)
	}
}

// TestOtherTools reads a recording as the documentation says others can.
func TestOtherTools(t *testing.T) {
	to := closedPort(t)
	cmd, stderr := dropwatch(t, "record", "-q", "-d", "30s")
	begin(t, cmd, recording.DefaultName)
	send(t, to, 3)
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	pipe := exec.Command("sh", "-c", `zstdcat `+recording.DefaultName+` | jq -s '[.[] | select(.type == "drop" and .dport == $port)] | length' --argjson port `+
		strings.TrimPrefix(to.String(), "127.0.0.1:"))
	pipe.Dir = cmd.Dir
	if out, err := pipe.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "3" {
		t.Errorf("zstdcat and jq find %q, %v; want 3", out, err)
	}
}
