// SPDX-License-Identifier: Apache-2.0

//go:build linux

package host

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netns"
)

// within reads files as a thread in a network namespace sees them.
type within struct{ path string } // of the namespace; empty for the own one

// Open implements fs.FS.
func (w within) Open(name string) (file fs.File, err error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	err = w.do(func() error {
		opened, err := os.Open(filepath.Join("/", name))
		if err == nil {
			file = opened
		}
		return err
	})
	return file, err
}

// ReadFile implements fs.ReadFileFS: settings are read inside, too.
func (w within) ReadFile(name string) (content []byte, err error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	err = w.do(func() (err error) {
		content, err = os.ReadFile(filepath.Join("/", name))
		return err
	})
	return content, err
}

// do runs f on a thread in the namespace. A thread that cannot be brought back ends
// with its goroutine.
func (w within) do(f func() error) error {
	if w.path == "" {
		return f()
	}
	done := make(chan error, 1)
	go func() { done <- w.visit(f) }()
	return <-done
}

func (w within) visit(f func() error) error {
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open own network namespace: %w", err)
	}
	defer home.Close()
	defer func() {
		if netns.Set(home) == nil {
			runtime.UnlockOSThread()
		}
	}()
	there, err := netns.GetFromPath(w.path)
	if err != nil {
		return fmt.Errorf("open network namespace %s: %w", w.path, err)
	}
	defer there.Close()
	if err := netns.Set(there); err != nil {
		return fmt.Errorf("enter network namespace %s: %w", w.path, err)
	}
	return f()
}
