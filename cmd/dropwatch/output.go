// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
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

// destination is what -o names. What is written to a new file appears under its name
// once the file is placed; if it is closed before that, nothing has changed.
type destination struct {
	io.Writer
	made  *newFile  // nil if it was there before: a stream, a device, a FIFO
	close io.Closer // nil for standard output
}

// output opens what -o names: standard output for an empty name or "-".
func output(s streams, name string, binary bool, how making) (*destination, error) {
	if name == "" || name == "-" {
		if binary && isTerminal(s.out) {
			return nil, errTerminal
		}
		return &destination{Writer: s.out}, nil
	}
	if fd, ok := descriptor(name); ok {
		return opened(duplicate(fd, name))(binary)
	}
	dir, base, err := openParent(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	file, err := openDevice(dir, base, name)
	if err != nil || file != nil {
		return opened(file, errors.Join(err, dir.Close()))(binary)
	}
	made, err := createIn(dir, base, name, how)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return &destination{Writer: made, made: made, close: made}, nil
}

// opened makes a destination of a file that was there before.
func opened(file *os.File, err error) func(binary bool) (*destination, error) {
	return func(binary bool) (*destination, error) {
		switch {
		case err != nil:
			return nil, err
		case binary && isTerminal(file):
			return nil, errors.Join(errTerminal, file.Close())
		}
		return &destination{Writer: file, close: file}, nil
	}
}

// place has a new file appear under its name.
func (d *destination) place() error {
	if d.made == nil {
		return nil
	}
	return d.made.place()
}

// streamed places a destination at the first write, for a reader that does not wait for
// the last.
type streamed struct{ *destination }

func (d streamed) Write(b []byte) (int, error) {
	n, err := d.destination.Write(b)
	if err == nil {
		err = d.place()
	}
	return n, err
}

// Close removes a new file that was not placed.
func (d *destination) Close() error {
	if d.close == nil {
		return nil
	}
	return d.close.Close()
}

// emitRead writes what was made of recordings up to an error, or without one. Where that
// is nothing it leaves alone what -o names.
func emitRead(s streams, name string, binary bool, content []byte, readErr error) error {
	if readErr != nil && len(content) == 0 {
		return readErr
	}
	return errors.Join(readErr, emit(s, name, binary, content))
}

// emit writes content to what -o names.
func emit(s streams, name string, binary bool, content []byte) error {
	return emitFrom(s, name, binary, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// emitFrom has print write to what -o names.
func emitFrom(s streams, name string, binary bool, print func(io.Writer) error) (err error) {
	out, err := output(s, name, binary, private())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	buffered := bufio.NewWriterSize(out, 64<<10)
	if err := flushed(buffered, print(buffered)); err != nil {
		return err
	}
	return out.place()
}

// flushed flushes what was printed with an error or without one. An error of writing is
// told once: the printer got it, too.
func flushed(w *bufio.Writer, printErr error) error {
	if err := w.Flush(); err != nil {
		return err
	}
	return printErr
}

// readerGone reports whether an error is that nobody reads the pipe that is written to.
// Programs end by SIGPIPE then, and say nothing. Go has that for the descriptors 1 and 2
// alone (os/signal, "SIGPIPE"), not for others that lead there.
func readerGone(err error) bool { return errors.Is(err, unix.EPIPE) }

// descriptor returns the number of an open file that a name stands for. These names are
// links, which are not followed otherwise.
func descriptor(name string) (fd int, ok bool) {
	switch name {
	case "/dev/stdout":
		return 1, true
	case "/dev/stderr":
		return 2, true
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if digits, found := strings.CutPrefix(name, dir); found {
			n, err := strconv.ParseUint(digits, 10, 31)
			return int(n), err == nil
		}
	}
	return 0, false
}

func duplicate(fd int, name string) (*os.File, error) {
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(copied), name), nil
}

// openDevice opens a character device or a FIFO that is there already, and refuses
// whatever else is neither missing nor a regular file. It returns nil for those two.
func openDevice(dir *os.File, base, name string) (*os.File, error) {
	refuse := func(err error) (*os.File, error) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	var before, after unix.Stat_t
	err := unix.Fstatat(int(dir.Fd()), base, &before, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return refuse(err)
	}
	switch before.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return nil, nil
	case unix.S_IFCHR:
	case unix.S_IFIFO:
		if !trusted(before.Uid) { // it would be given what only its reader's owner may see
			return refuse(fmt.Errorf("the FIFO belongs to user %d", before.Uid))
		}
	case unix.S_IFDIR:
		return refuse(unix.EISDIR)
	case unix.S_IFLNK:
		return refuse(errors.New("is a symbolic link, which is not followed; name the file itself"))
	default:
		return refuse(errors.New("is neither a regular file nor a character device or FIFO"))
	}
	fd, err := unix.Openat(int(dir.Fd()), base, unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return refuse(err)
	}
	file := os.NewFile(uintptr(fd), name)
	if err := unix.Fstat(fd, &after); err != nil || before.Dev != after.Dev || before.Ino != after.Ino {
		_ = file.Close()
		return refuse(errors.Join(err, errors.New("was replaced while it was opened")))
	}
	return file, nil
}

// trusted reports whether a user may plant a link or a FIFO in the way of this process:
// itself, root, and who called sudo.
func trusted(owner uint32) bool {
	uid, _, ok := caller()
	return owner == 0 || int(owner) == os.Geteuid() || ok && int(owner) == uid
}

// caller returns who called sudo.
func caller() (uid, gid int, ok bool) {
	uid, errUID := strconv.Atoi(os.Getenv("SUDO_UID"))
	gid, errGID := strconv.Atoi(os.Getenv("SUDO_GID"))
	return uid, gid, errUID == nil && errGID == nil && os.Geteuid() == 0
}
