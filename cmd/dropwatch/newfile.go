// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// newFile is a regular file that this process makes. It has no name, or one that nobody
// looks for, until it is placed. Its directory is opened once, and what happens to the
// path afterwards does not matter.
type newFile struct {
	*os.File
	dir    *os.File
	base   string // its name in dir
	hidden string // its name until it is placed, empty if it has none
	making
	placed bool
}

// making says what a new file is to be.
type making struct {
	mode uint32 // before the umask
	give bool   // to the user who called sudo
	// keep reports whether the regular file that bears its name becomes NAME.old.
	keep func(dir *os.File, base string) bool
}

// private is a file for its owner alone, beside which the one before it is kept.
func private() making {
	return making{mode: 0o600, give: true, keep: func(*os.File, string) bool { return true }}
}

// oldName returns what a file is kept as when another takes its name.
func oldName(base string) string { return base + ".old" }

// openParent opens the directory of a path, see openDirectory.
func openParent(name string) (dir *os.File, base string, err error) {
	base = filepath.Base(name)
	if name[len(name)-1] == '/' || base == "." || base == ".." {
		return nil, "", unix.EISDIR
	}
	dir, err = openDirectory(filepath.Dir(name))
	return dir, base, err
}

func hiddenName(base string) string { return "." + base + "." + rand.Text()[:8] }

// createIn makes a file that is to be called base. It owns dir unless it fails.
func createIn(dir *os.File, base, name string, how making) (*newFile, error) {
	f := &newFile{dir: dir, base: base, making: how}
	fd, err := openUnnamed(dir, how.mode)
	if errors.Is(err, errors.ErrUnsupported) {
		f.hidden = hiddenName(base)
		fd, err = unix.Openat(int(dir.Fd()), f.hidden, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, how.mode)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f.File = os.NewFile(uintptr(fd), name)
	if uid, gid, ok := caller(); ok && how.give {
		if err := f.Chown(uid, gid); err != nil {
			return nil, errors.Join(err, f.File.Close(), f.unlink())
		}
	}
	return f, nil
}

// place gives the file its name. What bore it is kept as NAME.old where making says so,
// else it is replaced. If that fails, what was there is there again.
func (f *newFile) place() error {
	if f.placed {
		return nil
	}
	at := int(f.dir.Fd())
	var there unix.Stat_t
	err := unix.Fstatat(at, f.base, &there, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = f.take(true)
	case err != nil:
	case there.Mode&unix.S_IFMT != unix.S_IFREG || there.Size == 0 || !f.keep(f.dir, f.base):
		err = f.take(false)
	default:
		if err = unix.Renameat(at, f.base, at, oldName(f.base)); err != nil {
			err = fmt.Errorf("keep the old file: %w", err)
			break
		}
		if err = f.take(true); err != nil {
			err = errors.Join(err, unix.Renameat(at, oldName(f.base), at, f.base))
		}
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: f.Name(), Err: err}
	}
	f.placed = true
	return nil
}

// take gives the file its name, which may be free. A link cannot replace a file, and
// only a file that has a name can be renamed.
func (f *newFile) take(free bool) error {
	if f.hidden == "" && free {
		return linkUnnamed(f.File, f.dir, f.base)
	}
	if f.hidden == "" {
		f.hidden = hiddenName(f.base)
		if err := linkUnnamed(f.File, f.dir, f.hidden); err != nil {
			f.hidden = ""
			return err
		}
	}
	return unix.Renameat(int(f.dir.Fd()), f.hidden, int(f.dir.Fd()), f.base)
}

// checkThere returns an error if the file is gone from its directory: what is written
// to it from then on would vanish without one.
func (f *newFile) checkThere() error {
	var opened, named unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &opened); err != nil {
		return err
	}
	err := unix.Fstatat(int(f.dir.Fd()), f.base, &named, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, fs.ErrPermission) {
		return nil // in a directory that only the privileges let in that were dropped
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil && (opened.Dev != named.Dev || opened.Ino != named.Ino) {
		return fmt.Errorf("%s was removed while it was written", f.Name())
	}
	return err
}

// Close removes the file if it was not placed.
func (f *newFile) Close() error {
	err := f.File.Close()
	if !f.placed {
		err = errors.Join(err, f.unlink())
	}
	return errors.Join(err, f.dir.Close())
}

func (f *newFile) unlink() error {
	if f.hidden == "" {
		return nil
	}
	return unix.Unlinkat(int(f.dir.Fd()), f.hidden, 0)
}
