// SPDX-License-Identifier: Apache-2.0

//go:build linux

package netns

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// Own is the namespace that the calling thread is in.
const Own = "/proc/thread-self/ns/net"

// Do runs f on a thread in the network namespace of an nsfs file, then returns the thread
// to its own namespace. Entering needs CAP_SYS_ADMIN.
func Do(path string, f func() error) error {
	return Travel(func(t *Traveler) error {
		if err := t.Enter(Place{Path: path}); err != nil {
			return err
		}
		return f()
	})
}

// Traveler moves a thread from one network namespace to the next. It keeps only the
// current namespace alive, besides its own.
type Traveler struct {
	home int    // descriptor of the original namespace; -1 until the thread leaves it
	own  uint32 // inode of the original namespace; 0 if unknown
	at   uint32 // inode of the current namespace
}

// Travel runs f with a Traveler, then returns the thread to its original namespace. A
// thread that cannot return stays locked to the calling goroutine and ends with it.
func Travel(f func(*Traveler) error) error {
	runtime.LockOSThread()
	t := &Traveler{home: -1}
	if inode, err := Inode(Own); err == nil {
		t.own, t.at = inode, inode
	}
	err := f(t)
	if failed := t.end(); failed != nil {
		return errors.Join(err, failed)
	}
	runtime.UnlockOSThread()
	return err
}

// Enter moves the thread to a namespace. It fails, and the thread stays where it is, if the
// file at place.Path is another namespace than place.Inode. An Inode of 0 is not checked.
func (t *Traveler) Enter(place Place) error {
	switch {
	case place.Inode != 0 && place.Inode == t.at:
		return nil
	case place.Inode != 0 && place.Inode == t.own:
		return t.back()
	}
	there, err := unix.Open(place.Path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open network namespace: %w", err)
	}
	defer unix.Close(there)
	var stat unix.Stat_t
	if err := unix.Fstat(there, &stat); err != nil {
		return fmt.Errorf("stat network namespace: %w", err)
	}
	inode := uint32(stat.Ino)
	if place.Inode != 0 && place.Inode != inode {
		return fmt.Errorf("enter network namespace %d: %s is now namespace %d", place.Inode, place.Path, inode)
	}
	if t.home < 0 {
		if t.home, err = unix.Open(Own, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return fmt.Errorf("open own network namespace: %w", err)
		}
	}
	if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network namespace: %w", err)
	}
	t.at = inode
	return nil
}

// back returns the thread to its original namespace, if it left it.
func (t *Traveler) back() error {
	if t.home < 0 || t.at == t.own {
		return nil
	}
	if err := unix.Setns(t.home, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("return to own network namespace: %w", err)
	}
	t.at = t.own
	return nil
}

func (t *Traveler) end() error {
	err := t.back()
	if t.home >= 0 {
		unix.Close(t.home)
	}
	return err
}
