// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/term"
)

var errTerminal = errors.New("will not write binary data to a terminal; name a file with -o, or redirect")

// isTerminal reports whether what is written to w is seen by somebody.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// columns returns how many fit on a line of what w writes to: a terminal's, else 120.
func columns(w io.Writer) int {
	const elsewhere = 120
	file, ok := w.(*os.File)
	if !ok {
		return elsewhere
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width <= 0 {
		return elsewhere
	}
	return width
}

// output opens what -o names: standard output for an empty name or "-".
func output(s streams, name string, binary bool) (io.WriteCloser, error) {
	if name != "" && name != "-" {
		return create(name)
	}
	if binary && isTerminal(s.out) {
		return nil, errTerminal
	}
	return nopCloser{s.out}, nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// emit writes content to what -o names.
func emit(s streams, name string, binary bool, content []byte) (err error) {
	out, err := output(s, name, binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = out.Write(content)
	return err
}

// create makes a file that only its owner may read: the user who called sudo, if
// one did. A file of that name is kept as NAME.old.
func create(name string) (*os.File, error) {
	if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
		if err := os.Rename(name, name+".old"); err != nil {
			return nil, fmt.Errorf("keep the old file: %w", err)
		}
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if uid, gid, ok := caller(); ok {
		if err := file.Chown(uid, gid); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	return file, nil
}

// caller returns who called sudo.
func caller() (uid, gid int, ok bool) {
	uid, errUID := strconv.Atoi(os.Getenv("SUDO_UID"))
	gid, errGID := strconv.Atoi(os.Getenv("SUDO_GID"))
	return uid, gid, errUID == nil && errGID == nil && os.Geteuid() == 0
}

// checkThere returns an error if an open file is gone from its directory: what is
// written to it from then on would vanish without one.
func checkThere(file *os.File) error {
	opened, err := file.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(file.Name())
	if errors.Is(err, fs.ErrPermission) {
		return nil // in a directory that only the privileges let in that were dropped
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(opened, named) {
		return fmt.Errorf("%s was removed while it was written", file.Name())
	}
	return err
}
