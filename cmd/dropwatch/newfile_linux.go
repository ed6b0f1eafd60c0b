// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const openPath = unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC

// openDirectory opens a directory to make files in. For root it follows a symbolic link
// on the way only if root or the user who called sudo made it: fs.protected_symlinks,
// which says so for directories that everybody may write to, is off unless the
// distribution sets it (Documentation/admin-guide/sysctl/fs.rst).
func openDirectory(path string) (*os.File, error) {
	if os.Geteuid() != 0 {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return os.NewFile(uintptr(fd), path), err
	}
	left := strings.Split(path, "/")
	at, err := openStart(path)
	for links := 0; err == nil && len(left) > 0; {
		name := left[0]
		left = left[1:]
		if name == "" {
			continue
		}
		var next int
		if next, err = unix.Openat(at, name, openPath, 0); err != nil {
			break
		}
		var target string
		if target, err = followed(next, name); err != nil || target == "" {
			_ = unix.Close(at)
			at = next
			continue
		}
		_ = unix.Close(next)
		if links++; links > 40 { // MAXSYMLINKS, include/linux/namei.h
			err = unix.ELOOP
			break
		}
		if strings.HasPrefix(target, "/") {
			_ = unix.Close(at)
			at, err = openStart(target)
		}
		left = append(strings.Split(target, "/"), left...)
	}
	if err != nil {
		_ = unix.Close(at)
		return nil, err
	}
	return os.NewFile(uintptr(at), path), nil
}

func openStart(path string) (int, error) {
	start := "."
	if strings.HasPrefix(path, "/") {
		start = "/"
	}
	return unix.Open(start, openPath|unix.O_DIRECTORY, 0)
}

// followed returns where a symbolic link leads that may be followed, "" for a directory.
func followed(fd int, name string) (target string, err error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return "", err
	}
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return "", nil
	case unix.S_IFLNK:
	default:
		return "", unix.ENOTDIR
	}
	if !trusted(stat.Uid) {
		return "", fmt.Errorf("%s is a symbolic link of user %d, which is not followed", name, stat.Uid)
	}
	buffer := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buffer)
	if err == nil && n == 0 {
		err = unix.ENOENT
	}
	return string(buffer[:max(n, 0)]), err
}

// openUnnamed makes a file without a name, which leaves nothing behind if this process
// is killed. Where the filesystem cannot, the error is errors.ErrUnsupported.
func openUnnamed(dir *os.File, mode uint32) (int, error) {
	fd, err := unix.Openat(int(dir.Fd()), ".", unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, mode)
	// As open(2) lists them: the filesystem does not know O_TMPFILE, or the kernel.
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EISDIR) {
		err = errors.ErrUnsupported
	}
	return fd, err
}

// linkUnnamed gives a file without a name one that must be free.
func linkUnnamed(file, dir *os.File, base string) error {
	path := "/proc/self/fd/" + strconv.Itoa(int(file.Fd()))
	return unix.Linkat(unix.AT_FDCWD, path, int(dir.Fd()), base, unix.AT_SYMLINK_FOLLOW)
}
