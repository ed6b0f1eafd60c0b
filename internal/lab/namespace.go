// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// within runs f on an OS thread that is in the namespace ns, and only f: the
// thread is brought back afterwards, also when f panics. A thread that cannot be
// brought back stays locked to the calling goroutine and ends with it.
func within(ns netns.NsHandle, f func() error) (err error) {
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open own network namespace: %w", err)
	}
	defer func() {
		if back := netns.Set(home); back != nil {
			err = errors.Join(err, fmt.Errorf("return to own network namespace: %w", back))
		} else {
			runtime.UnlockOSThread()
		}
		home.Close()
	}()
	if ns != netns.None() {
		if err := netns.Set(ns); err != nil {
			return fmt.Errorf("enter network namespace: %w", err)
		}
	}
	return f()
}

// newNamespace makes a network namespace without a name. It lives as long as
// the handle and whatever is opened inside.
func newNamespace() (netns.NsHandle, error) {
	ns := netns.None()
	err := within(netns.None(), func() (err error) {
		if ns, err = netns.New(); err != nil {
			return fmt.Errorf("create network namespace: %w", err)
		}
		return nil
	})
	return ns, err
}

// inode returns the number that names a namespace in /proc/PID/ns/net, and in
// the kernel's net->ns.inum.
func inode(ns netns.NsHandle) (uint32, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(int(ns), &stat); err != nil {
		return 0, fmt.Errorf("stat network namespace: %w", err)
	}
	return uint32(stat.Ino), nil
}
