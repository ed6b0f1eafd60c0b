// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// names returns what a directory holds, and fails if a file without a place is left.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s is left", e.Name())
		}
		all = append(all, e.Name())
	}
	return all
}

func owner(t *testing.T, path string) (uid uint32, mode fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Uid, info.Mode()
}

// asSudo has a command be called by sudo, by that user.
func asSudo(cmd *exec.Cmd, user int) {
	cmd.Env = append(cmd.Env, fmt.Sprintf("SUDO_UID=%d", user), fmt.Sprintf("SUDO_GID=%d", user))
}

func putFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %.80q, %v; want %q", path, got, err, want)
	}
}

// outputs are commands that write what -o names, from the recording lab.
var outputs = [][]string{
	{"report"}, {"report", "-f", "json"}, {"events"}, {"fold"}, {"pprof"}, {"flamegraph"}, {"flamegraph", "-f", "html"},
	{"record", "-q", "-d", "100ms"},
}

// eachOutput runs a test for every command that writes what -o names; run adds that flag.
func eachOutput(t *testing.T, test func(t *testing.T, cmd *exec.Cmd, run func(output string) error)) {
	labtest.NeedRoot(t)
	lab, err := filepath.Abs("../../testdata/recordings/lab.jsonl.zst")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range outputs {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			cmd, stderr := dropwatch(t, args...)
			test(t, cmd, func(output string) error {
				cmd.Args = append(cmd.Args, "-o", output)
				if args[0] != "record" {
					cmd.Args = append(cmd.Args, lab)
				}
				if err := cmd.Run(); err != nil {
					return fmt.Errorf("%w: %s", err, stderr)
				}
				return nil
			})
		})
	}
}

// TestPlantedLink: a link in the place of an output is not followed, and nobody is given
// what it leads to.
func TestPlantedLink(t *testing.T) {
	eachOutput(t, func(t *testing.T, cmd *exec.Cmd, run func(string) error) {
		asSudo(cmd, nobody)
		target, link := filepath.Join(cmd.Dir, "target"), filepath.Join(cmd.Dir, "link")
		putFile(t, target, "precious")
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if err := run("link"); err == nil || !strings.Contains(err.Error(), "link: is a symbolic link, which is not followed") {
			t.Errorf("%v; want a refusal", err)
		}
		holds(t, target, "precious")
		if uid, mode := owner(t, target); uid != 0 || mode != 0o600 {
			t.Errorf("the target belongs to %d, %v", uid, mode)
		}
		if got := names(t, cmd.Dir); !slices.Equal(got, []string{"link", "target"}) {
			t.Errorf("the directory holds %q", got)
		}
	})
}

// TestHardLink: what an output replaces keeps its content under its other names.
func TestHardLink(t *testing.T) {
	eachOutput(t, func(t *testing.T, cmd *exec.Cmd, run func(string) error) {
		asSudo(cmd, nobody)
		target := filepath.Join(cmd.Dir, "target")
		putFile(t, target, "precious")
		if err := os.Link(target, filepath.Join(cmd.Dir, "out")); err != nil {
			t.Fatal(err)
		}
		if err := run("out"); err != nil {
			t.Fatal(err)
		}
		holds(t, target, "precious")
		holds(t, filepath.Join(cmd.Dir, "out.old"), "precious")
		if uid, _ := owner(t, target); uid != 0 {
			t.Errorf("the target belongs to %d", uid)
		}
		if uid, mode := owner(t, filepath.Join(cmd.Dir, "out")); uid != nobody || mode != 0o600 {
			t.Errorf("the output belongs to %d, %v", uid, mode)
		}
		names(t, cmd.Dir)
	})
}

// TestPlantedDirectory: for root a link on the way is followed only if root or who called
// sudo made it.
func TestPlantedDirectory(t *testing.T) {
	eachOutput(t, func(t *testing.T, cmd *exec.Cmd, run func(string) error) {
		link, inner := filepath.Join(cmd.Dir, "link"), filepath.Join(cmd.Dir, "inner")
		if err := errors.Join(os.Mkdir(inner, 0o755), os.Symlink("inner", link), os.Lchown(link, nobody, nobody)); err != nil {
			t.Fatal(err)
		}
		if err := run("link/out"); err == nil || !strings.Contains(err.Error(), "symbolic link of user") {
			t.Errorf("%v; want a refusal", err)
		}
		if got := names(t, inner); len(got) > 0 {
			t.Errorf("the directory holds %q", got)
		}
	})
	eachOutput(t, func(t *testing.T, cmd *exec.Cmd, run func(string) error) {
		asSudo(cmd, nobody)
		link, inner := filepath.Join(cmd.Dir, "link"), filepath.Join(cmd.Dir, "inner")
		if err := errors.Join(os.Mkdir(inner, 0o755), os.Symlink(inner, link), os.Lchown(link, nobody, nobody)); err != nil {
			t.Fatal(err)
		}
		if err := run("./link/../link//out"); err != nil {
			t.Error(err)
		}
		if got := names(t, inner); !slices.Equal(got, []string{"out"}) {
			t.Errorf("the directory holds %q", got)
		}
	})
}

// TestDevices: what is no regular file is written to as it is, and keeps its owner.
func TestDevices(t *testing.T) {
	eachOutput(t, func(t *testing.T, cmd *exec.Cmd, run func(string) error) {
		asSudo(cmd, nobody)
		null := filepath.Join(cmd.Dir, "null")
		if err := unix.Mknod(null, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))); err != nil {
			t.Fatal(err)
		}
		if err := run("null"); err != nil {
			t.Error(err)
		}
		if uid, mode := owner(t, null); uid != 0 || mode&fs.ModeCharDevice == 0 {
			t.Errorf("the device belongs to %d, %v", uid, mode)
		}
	})
	eachOutput(t, func(t *testing.T, cmd *exec.Cmd, run func(string) error) {
		asSudo(cmd, nobody)
		fifo := filepath.Join(cmd.Dir, "fifo")
		if err := unix.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		read := make(chan int, 1)
		go func() {
			content, _ := os.ReadFile(fifo) // none is found by its length
			read <- len(content)
		}()
		if err := run("fifo"); err != nil {
			t.Fatal(err)
		}
		if n := <-read; n == 0 {
			t.Error("nothing comes out of the FIFO")
		}
		if uid, _ := owner(t, fifo); uid != 0 {
			t.Errorf("the FIFO belongs to %d", uid)
		}
	})
	for _, name := range []string{"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"} {
		eachOutput(t, func(t *testing.T, cmd *exec.Cmd, run func(string) error) {
			out, err := os.Create(filepath.Join(cmd.Dir, "out"))
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			cmd.Stdout = out
			if err := run(name); err != nil {
				t.Fatal(err)
			}
			if info, err := out.Stat(); err != nil || info.Size() == 0 {
				t.Errorf("%s: %v, %v", name, info, err)
			}
		})
	}
}

// TestForeignFIFO: its owner would read what only root may see.
func TestForeignFIFO(t *testing.T) {
	eachOutput(t, func(t *testing.T, cmd *exec.Cmd, run func(string) error) {
		fifo := filepath.Join(cmd.Dir, "fifo")
		if err := errors.Join(unix.Mkfifo(fifo, 0o666), os.Chown(fifo, nobody, nobody)); err != nil {
			t.Fatal(err)
		}
		if err := run("fifo"); err == nil || !strings.Contains(err.Error(), "belongs to user") {
			t.Errorf("%v; want a refusal", err)
		}
	})
}

// TestManualPages: a link in the place of a page is replaced, not followed.
func TestManualPages(t *testing.T) {
	cmd, stderr := dropwatch(t, "man", ".")
	asSudo(cmd, nobody)
	target, page := filepath.Join(cmd.Dir, "target"), filepath.Join(cmd.Dir, "dropwatch-report.1")
	putFile(t, target, "precious")
	if err := os.Symlink(target, page); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	holds(t, target, "precious")
	if uid, mode := owner(t, page); uid != 0 || mode != 0o644 {
		t.Errorf("the page belongs to %d, %v", uid, mode)
	}
	names(t, cmd.Dir)
}

// TestFailedStart: what cannot record leaves the recordings that are there alone.
func TestFailedStart(t *testing.T) {
	full := t.TempDir()
	if err := unix.Mount("tmpfs", full, "tmpfs", 0, "size=64k"); err != nil {
		labtest.NeedRoot(t)
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(full, 0); err != nil {
			t.Error(err)
		}
	})
	for name, test := range map[string]struct {
		args []string
		dir  string
		says string
	}{
		"mistyped command":  {[]string{"--", "nosuchcommand"}, t.TempDir(), "nosuchcommand"},
		"no such directory": {[]string{"-o", "nowhere/drops"}, t.TempDir(), "no such file or directory"},
		"full disk":         {[]string{"-d", "1s"}, full, "no space left on device"},
		"bad flag":          {[]string{"--snaplen", "-1"}, t.TempDir(), "snaplen"},
	} {
		t.Run(name, func(t *testing.T) {
			now, old := filepath.Join(test.dir, recording.DefaultName), filepath.Join(test.dir, recording.DefaultName+".old")
			putFile(t, now, "newer")
			putFile(t, old, "older")
			if test.dir == full {
				if err := os.WriteFile(filepath.Join(full, "filler"), make([]byte, 64<<10), 0o600); !errors.Is(err, unix.ENOSPC) {
					t.Fatalf("%v; want a full disk", err)
				}
			}
			for range 2 {
				cmd, stderr := dropwatch(t, append([]string{"record", "-q"}, test.args...)...)
				cmd.Dir = test.dir
				if err := cmd.Run(); err == nil || !strings.Contains(stderr.String(), test.says) {
					t.Errorf("%v: %s", err, stderr)
				}
			}
			holds(t, now, "newer")
			holds(t, old, "older")
			names(t, test.dir)
		})
	}
}
