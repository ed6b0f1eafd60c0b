// SPDX-License-Identifier: Apache-2.0

package main

import (
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

	"github.com/dropwatch/dropwatch/pkg/recording"
)

// TestPassedOn: a signal to dropwatch alone reaches its command, and the recording ends
// when the command does.
func TestPassedOn(t *testing.T) {
	for _, name := range []string{"INT", "TERM", "HUP", "QUIT", "USR1", "USR2"} {
		t.Run(name, func(t *testing.T) {
			cmd, stderr := dropwatch(t, says("INT TERM HUP QUIT USR1 USR2")...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // away from a terminal
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			begin(t, cmd, recording.DefaultName)
			text := make([]byte, len("ready\n"))
			if _, err := io.ReadFull(out, text); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(unix.SignalNum("SIG" + name)); err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(out)
			_ = cmd.Wait() // the status is compared
			if status := cmd.ProcessState.ExitCode(); status != 3 || string(rest) != "<"+name+">\nresults after 1\n" {
				t.Errorf("exit status %d, %q: %s", status, rest, stderr)
			}
			isWhole(t, cmd.Dir)
		})
	}
}

// TestAfterDuration: a command that outlives the recording is still sent signals.
func TestAfterDuration(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-d", "100ms", "--", "sh", "-c", `trap "exit 6" TERM; while :; do sleep 0.05; done`)
	stderr.Reset()
	cmd.Stderr = nil
	read, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	begin(t, cmd, recording.DefaultName)
	said := ""
	for !strings.Contains(said, "wrote "+recording.DefaultName) {
		part := make([]byte, 4096)
		n, err := read.Read(part)
		if said += string(part[:n]); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the status is compared
	if status := cmd.ProcessState.ExitCode(); status != 6 {
		t.Errorf("exit status %d, want that of the command, 6", status)
	}
	isWhole(t, cmd.Dir)
}

// TestTwiceAtOnce: timeout(1) sends the same signal to a process and to its group.
func TestTwiceAtOnce(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-q")
	begin(t, cmd, recording.DefaultName)
	for range 3 {
		if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(again / 30)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, stderr)
	}
	isWhole(t, cmd.Dir)
}

// TestIgnored: what was ignored when dropwatch started is ignored by its command, and a
// hangup by both.
func TestIgnored(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-q", "--", "sh", "-c", `echo $$ >pid; grep SigIgn /proc/self/status; read line`)
	cmd.Args = append([]string{"sh", "-c", `trap "" HUP INT QUIT; exec "$@"`, "sh", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // away from a terminal
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	begin(t, cmd, "pid")
	if err := cmd.Process.Signal(unix.SIGHUP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * alone)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(out)
	_ = cmd.Wait() // the status is compared
	if status := cmd.ProcessState.ExitCode(); status != 1 || !strings.HasSuffix(string(text), "07\n") {
		t.Errorf("exit status %d, %q: %s; want signals 1 to 3 ignored", status, text, stderr)
	}
	isWhole(t, cmd.Dir)
}

// TestAsWithout: the command sees what it would see without dropwatch.
func TestAsWithout(t *testing.T) {
	const script = `pwd; env | grep -v '^_=' | sort; umask; ulimit -a; cat; id; ls -l /proc/self/fd | wc -l
grep -E 'Sig[^Q]|Shd|Cap|NoNew|Seccomp|Cpus|Groups' /proc/self/status; cut -d' ' -f19 /proc/self/stat; cat /proc/self/oom_score_adj; readlink /proc/self/ns/*`
	out := func(cmd *exec.Cmd) string {
		cmd.Stdin = strings.NewReader("from standard input\n")
		text, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	cmd, _ := dropwatch(t, "record", "-q", "--", "sh", "-c", script)
	alone := exec.Command("sh", "-c", script)
	alone.Dir, alone.Env = cmd.Dir, cmd.Env
	if got, want := out(cmd), out(alone); got != want || !strings.Contains(got, "from standard input") {
		gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
		for _, line := range gotLines {
			if !slices.Contains(wantLines, line) {
				t.Errorf("with dropwatch:    %s", line)
			}
		}
		for _, line := range wantLines {
			if !slices.Contains(gotLines, line) {
				t.Errorf("without dropwatch: %s", line)
			}
		}
	}
}

// TestFailedRecording: a command goes on though its recording cannot, and its status is
// dropwatch's.
func TestFailedRecording(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-q", "-o", "below/drops", "--", "sh", "-c", `while [ ! -e go ]; do sleep 0.05; done; exit 8`)
	if err := os.Mkdir(filepath.Join(cmd.Dir, "below"), 0o755); err != nil {
		t.Fatal(err)
	}
	read, write := io.Pipe()
	cmd.Stderr = write
	begin(t, cmd, "below/drops")
	if err := os.RemoveAll(filepath.Join(cmd.Dir, "below")); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(stderr.String(), "the command goes on") {
		if _, err := io.CopyN(stderr, read, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(cmd.Dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, read)
	_ = cmd.Wait() // the status is compared
	if status := cmd.ProcessState.ExitCode(); status != 8 || !strings.Contains(stderr.String(), "was removed while it was written") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
}

// TestStreamWithCommand: what a command prints does not get into a recording.
func TestStreamWithCommand(t *testing.T) {
	for _, name := range []string{"-", "/dev/stdout"} {
		cmd, stderr := dropwatch(t, "record", "-q", "-o", name, "--", "echo", "from the command")
		out, err := cmd.Output()
		if err != nil || !strings.Contains(stderr.String(), "from the command\n") {
			t.Errorf("%v: %s", err, stderr)
		}
		if _, end := toPort(t, strings.NewReader(string(out)), 0); end != io.EOF {
			t.Errorf("the recording ends with %v", end)
		}
	}
}
