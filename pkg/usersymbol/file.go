// SPDX-License-Identifier: Apache-2.0

//go:build linux

package usersymbol

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// openFile opens a file that a process has mapped, without reading from it. It tries, in
// order of trust: the link in map_files, which reaches deleted files and files in containers
// but needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE; the exe link; the path as the process
// sees it.
func (p *process) openFile(m *mapping) (*os.File, fileID, error) {
	file, id, err := openPath(fmt.Sprintf("%s/map_files/%x-%x", p.dir, m.Start, m.End))
	if err == nil {
		return file, id, nil
	}
	if exe, err := os.Readlink(p.dir + "/exe"); err == nil && exe == m.path {
		return openPath(p.dir + "/exe")
	}
	if strings.HasSuffix(m.path, deleted) {
		return nil, fileID{}, err
	}
	file, id, err = openIn(p.dir+"/root", m.path)
	if err == nil && id.inode != m.inode {
		file.Close()
		return nil, fileID{}, fmt.Errorf("open %s: replaced by another file: %w", m.path, os.ErrNotExist)
	}
	return file, id, err
}

func openPath(path string) (*os.File, fileID, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	return identify(fd, path, err)
}

// openIn opens a path below another root. Symbolic links do not leave that root.
// Needs kernel 5.6+.
func openIn(root, path string) (*os.File, fileID, error) {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fileID{}, &os.PathError{Op: "open", Path: root, Err: err}
	}
	defer unix.Close(dir)
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
	fd, err := unix.Openat2(dir, path, &how)
	return identify(fd, path, err)
}

// identify takes ownership of an O_PATH descriptor and fails unless it is of a regular file:
// to open a device or a FIFO for reading may have side effects or block.
func identify(fd int, path string, err error) (*os.File, fileID, error) {
	if err != nil {
		return nil, fileID{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	file := os.NewFile(uintptr(fd), path)
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = errors.ErrUnsupported
	}
	if err != nil {
		file.Close()
		return nil, fileID{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return file, fileID{st.Dev, st.Ino, st.Size, st.Mtim.Nano(), st.Ctim.Nano()}, nil
}

// programID identifies the executable of a process. It uses cached attributes
// (AT_STATX_DONT_SYNC), so that an unreachable file server cannot block it.
func programID(dir string) (fileID, error) {
	var st unix.Statx_t
	const mask = unix.STATX_INO | unix.STATX_SIZE | unix.STATX_MTIME | unix.STATX_CTIME
	if err := unix.Statx(unix.AT_FDCWD, dir+"/exe", unix.AT_STATX_DONT_SYNC, mask, &st); err != nil {
		return fileID{}, err
	}
	return fileID{
		unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino, int64(st.Size),
		st.Mtime.Sec*1e9 + int64(st.Mtime.Nsec), st.Ctime.Sec*1e9 + int64(st.Ctime.Nsec),
	}, nil
}
