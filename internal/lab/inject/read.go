// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// A slowFile is a file that takes long to read: it is
// an iterator, whose program the kernel runs in read().
type slowFile struct {
	mount int // a BPF file system of our own, attached nowhere: it ends with the process
	iter  *link.Iter
}

const slowFileName = "memory_stat"

// newSlowFile makes the file. The caller must close it.
func newSlowFile(program *ebpf.Program) (*slowFile, error) {
	mount, err := mountDetached("bpf")
	if err != nil {
		return nil, err
	}
	f := &slowFile{mount: mount}
	if f.iter, err = link.AttachIter(link.IterOptions{Program: program}); err != nil {
		return nil, errors.Join(fmt.Errorf("attach iterator: %w", lacking(err)), f.close())
	}
	if err := f.iter.Pin(f.name()); err != nil {
		return nil, errors.Join(fmt.Errorf("make file of iterator: %w", err), f.close())
	}
	return f, nil
}

// mountDetached mounts a file system outside of all directories. Needs kernel 5.2+.
func mountDetached(fstype string) (fd int, err error) {
	context, err := unix.Fsopen(fstype, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("open file system %s: %w", fstype, err)
	}
	defer unix.Close(context)
	if err := unix.FsconfigCreate(context); err != nil {
		return -1, fmt.Errorf("create file system %s: %w", fstype, err)
	}
	fd, err = unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("mount file system %s: %w", fstype, err)
	}
	return fd, nil
}

// open opens the file, which can be read once, and returns its path within its mount.
func (f *slowFile) open() (fd int, path string, err error) {
	fd, err = unix.Open(f.name(), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, "", fmt.Errorf("open iterator: %w", err)
	}
	path, err = os.Readlink(ofDescriptor(fd))
	if err != nil {
		return -1, "", errors.Join(err, unix.Close(fd))
	}
	return fd, path, nil
}

func (f *slowFile) name() string {
	return ofDescriptor(f.mount) + "/" + slowFileName
}

func ofDescriptor(fd int) string {
	return "/proc/self/fd/" + strconv.Itoa(fd)
}

// close removes the file.
func (f *slowFile) close() error {
	var err error
	if f.iter != nil {
		err = f.iter.Close()
	}
	return errors.Join(err, unix.Close(f.mount))
}

// A reader reads a file to its end.
type reader struct {
	fd   int
	page [4096]byte
}

// maxReads bounds the reads of a file.
const maxReads = 1024

//go:nosplit
//go:norace
func (r *reader) do() unix.Errno {
	for range maxReads {
		n, _, errno := unix.RawSyscall6(unix.SYS_READ, uintptr(r.fd), uintptr(unsafe.Pointer(&r.page)), uintptr(len(r.page)), 0, 0, 0)
		if n == 0 || errno != 0 {
			return errno
		}
	}
	return unix.EFBIG
}
