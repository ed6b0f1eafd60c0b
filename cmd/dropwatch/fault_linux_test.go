// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// fails runs dropwatch and checks its exit status and what it says.
func fails(t *testing.T, cmd *exec.Cmd, stderr *bytes.Buffer, status int, says ...string) {
	t.Helper()
	_ = cmd.Run() // the status is compared
	if got := cmd.ProcessState.ExitCode(); got != status {
		t.Errorf("exit status %d, want %d", got, status)
	}
	for _, want := range says {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("no %q in:\n%s", want, stderr)
		}
	}
}

func TestUnwritable(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-o", "no/such/directory/drops")
	fails(t, cmd, stderr, statusFailed, "error: ", "no/such/directory/drops", "no such file or directory")

	cmd, stderr = dropwatch(t, "record", "-o", ".")
	fails(t, cmd, stderr, statusFailed, "error: ", "is a directory")
}

// TestFullDisk fills a small disk: the error comes at once, and what was written
// before it can be read.
func TestFullDisk(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-q", "--exact", "--snaplen", "2048")
	if err := unix.Mount("tmpfs", cmd.Dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(cmd.Dir, 0); err != nil {
			t.Error(err)
		}
	})
	begin(t, cmd, recording.DefaultName)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	flooded := make(chan error, 1)
	go func() { flooded <- flood(ctx) }()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("goes on with a full disk")
	}
	stop()
	if err := <-flooded; err != nil {
		t.Fatal(err)
	}
	if status := cmd.ProcessState.ExitCode(); status != statusFailed || !strings.Contains(stderr.String(), "no space left on device") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
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
	events := 0
	for {
		_, err := src.Next()
		if _, cut := event.AsCut(err); cut {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		events++
	}
	if events < 100 {
		t.Errorf("%d events can be read", events)
	}
}

func flood(ctx context.Context) error {
	n, err := lab.NewNet()
	if err != nil {
		return err
	}
	defer n.Close()
	f, err := n.NewFlood(lab.FloodOptions{Payload: 1400})
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Run(ctx, lab.Sendto, time.Minute)
	return err
}

// TestVanished: a recording whose directory is removed would be written to nowhere.
func TestVanished(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-q", "-o", "below/drops")
	if err := os.Mkdir(filepath.Join(cmd.Dir, "below"), 0o755); err != nil {
		t.Fatal(err)
	}
	begin(t, cmd, "below/drops")
	if err := os.RemoveAll(filepath.Join(cmd.Dir, "below")); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("goes on writing to nowhere")
	}
	if status := cmd.ProcessState.ExitCode(); status != statusFailed || !strings.Contains(stderr.String(), "was removed while it was written") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
}

// readable lets every user reach a file below the test's own directories.
func readable(t *testing.T, path string) {
	t.Helper()
	for dir := filepath.Dir(path); dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, info.Mode()|0o111); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTwoAtOnce: recorders do not disturb each other.
func TestTwoAtOnce(t *testing.T) {
	labtest.NeedRoot(t)
	to := closedPort(t)
	a, _ := dropwatch(t, "record", "-q")
	b, _ := dropwatch(t, "record", "-q")
	begin(t, a, recording.DefaultName)
	begin(t, b, recording.DefaultName)
	send(t, to, 20)
	for _, cmd := range []*exec.Cmd{a, b} {
		if err := cmd.Process.Signal(unix.SIGINT); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		if drops, end := inFile(t, filepath.Join(cmd.Dir, recording.DefaultName), to.Port); drops != 20 {
			t.Errorf("%d of 20 drops, then %v", drops, end)
		}
	}
}

// TestSudo: what root writes belongs to who called sudo, and old files are kept.
func TestSudo(t *testing.T) {
	cmd, stderr := dropwatch(t, "record", "-q", "--", "true")
	cmd.Env = append(cmd.Env, "SUDO_UID=1234", "SUDO_GID=2345")
	path := filepath.Join(cmd.Dir, recording.DefaultName)
	if err := os.WriteFile(path, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if stat := info.Sys().(*syscall.Stat_t); stat.Uid != 1234 || stat.Gid != 2345 {
		t.Errorf("belongs to %d:%d", stat.Uid, stat.Gid)
	}
	if old, err := os.ReadFile(path + ".old"); err != nil || string(old) != "precious" {
		t.Errorf("the old file holds %q, %v", old, err)
	}
}

// TestStatusLine shows itself on a terminal alone.
func TestStatusLine(t *testing.T) {
	cmd, _ := dropwatch(t, "record", "-d", "2500ms")
	run := strings.Join(cmd.Args, " ")
	onTerminal := exec.Command("script", "-qec", run, "/dev/null")
	onTerminal.Env, onTerminal.Dir = cmd.Env, cmd.Dir
	out, err := onTerminal.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !regexp.MustCompile(`\r\x1b\[K00:\d\d  [\d,]+ drops/s  `).Match(out) {
		t.Errorf("no status line on a terminal:\n%q", out)
	}
	cmd, stderr := dropwatch(t, "record", "-d", "1500ms")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(stderr.String(), "\r\x1b") {
		t.Errorf("control characters where there is no terminal:\n%q", stderr)
	}
}
