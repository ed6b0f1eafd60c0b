// SPDX-License-Identifier: Apache-2.0

//go:build linux

package host

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// ownNetns is the namespace that the calling thread is in.
const ownNetns = "/proc/thread-self/ns/net"

// inNetns runs f on a thread that is in the network namespace of an nsfs file, and
// brings the thread back. One that cannot be brought back stays locked to the calling
// goroutine and ends with it. Entering needs CAP_SYS_ADMIN.
func inNetns(path string, f func() error) error {
	runtime.LockOSThread()
	back, err := enterNetns(path)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err = f()
	if failed := back(); failed != nil {
		return errors.Join(err, failed)
	}
	runtime.UnlockOSThread()
	return err
}

func enterNetns(path string) (back func() error, err error) {
	home, err := unix.Open(ownNetns, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open own network namespace: %w", err)
	}
	there, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		unix.Close(home)
		return nil, fmt.Errorf("open network namespace: %w", err)
	}
	defer unix.Close(there)
	if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
		unix.Close(home)
		return nil, fmt.Errorf("enter network namespace: %w", err)
	}
	return func() error {
		defer unix.Close(home)
		if err := unix.Setns(home, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("return to own network namespace: %w", err)
		}
		return nil
	}, nil
}
