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

// Do runs f on a thread that is in the network namespace of an nsfs file, and
// brings the thread back. Entering needs CAP_SYS_ADMIN.
func Do(path string, f func() error) error {
	return Travel(func(t *Traveler) error {
		if err := t.Enter(Place{Path: path}); err != nil {
			return err
		}
		return f()
	})
}

// Traveler takes a thread from one network namespace to the next. It keeps none alive
// but the one that it is in.
type Traveler struct {
	home int    // descriptor of where it began; -1 until it leaves
	own  uint32 // the same as a number; 0 if unknown
	at   uint32 // where it is
}

// Travel runs f with a Traveler, whose thread it then brings back. A thread that cannot
// be brought back stays locked to the calling goroutine and ends with it.
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

// Enter goes to a namespace. It stays where it is if that is not at its place any more; a
// place without a number is believed.
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
		return fmt.Errorf("look at network namespace: %w", err)
	}
	inode := uint32(stat.Ino)
	if place.Inode != 0 && place.Inode != inode {
		return fmt.Errorf("enter network namespace %d: at %s is %d now", place.Inode, place.Path, inode)
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

// back returns to where the Traveler began, if it is not there.
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
