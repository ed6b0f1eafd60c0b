// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/recording"
)

// terminal is a pseudoterminal, and what was written to it.
type terminal struct {
	t      *testing.T
	master *os.File
	lock   sync.Mutex
	shown  bytes.Buffer
	done   chan struct{}
}

// onTerminal starts a command at a terminal of its own, in the foreground.
func onTerminal(t *testing.T, cmd *exec.Cmd) *terminal {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	master := os.NewFile(uintptr(fd), "/dev/ptmx")
	t.Cleanup(func() { _ = master.Close() }) // a test may have hung it up
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, master: master, done: make(chan struct{})}
	go func() {
		defer close(term.done)
		_, _ = io.Copy(term, master) // ends with EIO when nobody has the other end
	}()
	return term
}

func (term *terminal) Write(b []byte) (int, error) {
	term.lock.Lock()
	defer term.lock.Unlock()
	return term.shown.Write(b)
}

func (term *terminal) text() string {
	term.lock.Lock()
	defer term.lock.Unlock()
	return term.shown.String()
}

// wait waits until the terminal shows a text.
func (term *terminal) wait(text string) {
	term.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(term.text(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			term.t.Fatalf("no %q in:\n%s", text, term.text())
		}
	}
}

// press types keys.
func (term *terminal) press(keys string) {
	term.t.Helper()
	if _, err := term.master.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

// status waits for a command and returns its exit status.
func (term *terminal) status(cmd *exec.Cmd) int {
	term.t.Helper()
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }() // the status is compared
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		term.t.Fatalf("goes on:\n%s", term.text())
	}
	return cmd.ProcessState.ExitCode()
}

// isWhole checks that a recording ended in order.
func isWhole(t *testing.T, dir string) {
	t.Helper()
	if _, end := inFile(t, filepath.Join(dir, recording.DefaultName), 0); end != io.EOF {
		t.Errorf("the recording ends with %v", end)
	}
}

// says is a program that says what signals it gets, and ends in order 1 s after one of
// them, or at the third.
func says(signals string) []string {
	script := `n=0; seen() { echo "<$1>"; n=$((n+1)); [ $n -ge 3 ] && exit 9; }
for s in ` + signals + `; do trap "seen $s" $s; done
echo ready
while [ $n = 0 ]; do sleep 0.05; done
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 0.05; done
echo "results after $n"; exit 3`
	return []string{"record", "-q", "--", "sh", "-c", script}
}

// TestKeys: what is typed at the terminal reaches the command, once and from the terminal
// alone, and the recording ends when the command does.
func TestKeys(t *testing.T) {
	for name, test := range map[string]struct{ keys, signal string }{
		"Ctrl-C":  {"\x03", "INT"},
		"Ctrl-\\": {"\x1c", "QUIT"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, _ := dropwatch(t, says("INT QUIT TERM HUP")...)
			term := onTerminal(t, cmd)
			term.wait("ready")
			term.press(test.keys)
			if status := term.status(cmd); status != 3 {
				t.Errorf("exit status %d, want that of the command, 3", status)
			}
			term.wait("<" + test.signal + ">")
			term.wait("results after 1")
			isWhole(t, cmd.Dir)
		})
	}
}

// TestKeysForever: a command that goes on at every Ctrl-C is recorded until it ends.
func TestKeysForever(t *testing.T) {
	cmd, _ := dropwatch(t, "record", "-q", "--", "sh", "-c", `n=0; trap 'n=$((n+1)); echo "<$n>"' INT; echo ready; while [ $n -lt 4 ]; do sleep 0.05; done; echo over`)
	term := onTerminal(t, cmd)
	term.wait("ready")
	for i := range 4 {
		term.press("\x03")
		term.wait(fmt.Sprintf("<%d>", i+1))
		time.Sleep(again + again/3) // past what counts as the same signal
	}
	if status := term.status(cmd); status != 0 {
		t.Errorf("exit status %d", status)
	}
	isWhole(t, cmd.Dir)
}

// TestKeysAlone: without a command Ctrl-C ends the recording.
func TestKeysAlone(t *testing.T) {
	cmd, _ := dropwatch(t, "record")
	term := onTerminal(t, cmd)
	term.wait("drops/s")
	term.press("\x03")
	if status := term.status(cmd); status != 0 {
		t.Errorf("exit status %d", status)
	}
	isWhole(t, cmd.Dir)
}

// TestHangup: a terminal that goes away ends the command, and the recording in order.
func TestHangup(t *testing.T) {
	cmd, _ := dropwatch(t, "record", "-q", "--", "sh", "-c", `trap 'echo $$ >hup; exit 4' HUP; echo ready; while :; do sleep 0.05; done`)
	term := onTerminal(t, cmd)
	term.wait("ready")
	if err := term.master.Close(); err != nil {
		t.Fatal(err)
	}
	if status := term.status(cmd); status != 4 {
		t.Errorf("exit status %d, want that of the command, 4", status)
	}
	if _, err := os.Stat(filepath.Join(cmd.Dir, "hup")); err != nil {
		t.Error(err)
	}
	isWhole(t, cmd.Dir)
}

// TestJobControl: Ctrl-Z stops both, and SIGCONT has both go on.
func TestJobControl(t *testing.T) {
	cmd, _ := dropwatch(t, "record", "-q", "--", "sh", "-c", `echo $$ >pid; echo ready; while [ ! -e go ]; do sleep 0.05; done; exit 5`)
	// A group whose parents are outside of the session is not stopped: a shell stays.
	cmd.Args = append([]string{"sh", "-c", `set -m; "$@"; echo stopped; touch go; fg >/dev/null; exit $?`, "sh"}, cmd.Args...)
	self := cmd.Path
	cmd.Path = "/bin/sh"
	cmd.Args[4] = self
	term := onTerminal(t, cmd)
	term.wait("ready")
	term.press("\x1a")
	if status := term.status(cmd); status != 5 {
		t.Errorf("exit status %d, want that of the command, 5", status)
	}
	term.wait("stopped")
	isWhole(t, cmd.Dir)
}

// TestForeground: the command has the terminal as it would have it without dropwatch.
func TestForeground(t *testing.T) {
	cmd, _ := dropwatch(t, "record", "-q", "--", "sh", "-c", `stty -a >/dev/null && read line && echo "got $line"; ps -o stat= -p $$`)
	term := onTerminal(t, cmd)
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(term.text(), "got typed"); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing is read:\n%s", term.text())
		}
		term.press("typed\n")
	}
	if status := term.status(cmd); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if shown := term.text(); !strings.Contains(shown[strings.Index(shown, "got typed"):], "+") { // in the foreground, ps(1)
		t.Errorf("not in the foreground:\n%s", shown)
	}
}
