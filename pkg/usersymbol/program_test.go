// SPDX-License-Identifier: Apache-2.0

//go:build linux

package usersymbol

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// compiler returns the path of a program that tests compile with, or skips.
func compiler(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		err = fmt.Errorf("%w: %w", err, errors.ErrUnsupported)
	}
	labtest.Need(t, err)
	return path
}

// compile builds a program from one source file and returns its path.
func compile(t testing.TB, source, with string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "source"+filepath.Ext(with)), filepath.Join(dir, "program")
	if err := os.WriteFile(in, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-o", out}, flags...)
	run := exec.Command(compiler(t, strings.TrimSuffix(with, filepath.Ext(with))), append(args, in)...)
	if strings.HasPrefix(with, "go.") {
		run = exec.Command(compiler(t, "go"), append(append([]string{"build"}, args...), in)...)
	}
	if text, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", run.Args, err, text)
	}
	return out
}

// program is a process that printed addresses in its code and waits.
type program struct {
	*exec.Cmd
	pid   uint32
	stdin io.WriteCloser
	out   *bufio.Reader
	// addresses by name, as the program printed them
	at map[string]uint64
}

// start runs a program that prints lines of name and address, an empty line, and
// then waits for a line.
func start(t testing.TB, cmd *exec.Cmd) *program {
	t.Helper()
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{Cmd: cmd, pid: uint32(cmd.Process.Pid), stdin: stdin, out: bufio.NewReader(stdout), at: map[string]uint64{}}
	t.Cleanup(p.kill)
	p.read(t)
	return p
}

func (p *program) kill() {
	p.Process.Kill()
	p.Wait()
}

// read notes the addresses up to an empty line.
func (p *program) read(t testing.TB) {
	t.Helper()
	for {
		line, err := p.out.ReadString('\n')
		if err != nil {
			t.Fatalf("%v: %v", p.Args, err)
		}
		name, text, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			return
		}
		if p.at[name], err = strconv.ParseUint(text, 0, 64); err != nil {
			t.Fatal(err)
		}
	}
}

// wake lets the program go on.
func (p *program) wake(t testing.TB) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, "\n"); err != nil {
		t.Fatal(err)
	}
}

// resolve names one address that is not a return address.
func resolve(u *Processes, pid uint32, addr uint64) string {
	return spell(u.Resolve(pid, []uint64{addr})[0])
}

func spell(f Frame) string {
	if f.Name == "" {
		return fmt.Sprintf("0x%x %s", f.Addr, f.Module)
	}
	return fmt.Sprintf("%s+0x%x %s", f.Name, f.Offset, f.Module)
}

func newUsers() *Processes { return New(32 << 20) }
