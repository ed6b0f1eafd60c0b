// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dropwatch/dropwatch/pkg/netns"
)

// within reads files as a thread in a network namespace sees them.
type within struct{ path string } // of the nsfs file; empty for the caller's own namespace

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

// ReadFile implements fs.ReadFileFS: reading a setting must happen in the namespace, too.
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

// do runs f on a thread in the namespace. A thread that cannot return ends with its goroutine.
func (w within) do(f func() error) error {
	if w.path == "" {
		return f()
	}
	done := make(chan error, 1)
	go func() { done <- netns.Do(w.path, f) }()
	return <-done
}
