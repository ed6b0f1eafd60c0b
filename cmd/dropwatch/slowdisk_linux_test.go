// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// slowDisk writes 4 kB a second to a file until it is told to be quick.
type slowDisk struct {
	path  string
	wrote atomic.Int64
	quick atomic.Bool
	done  chan error
}

func newSlowDisk(t *testing.T, from io.Reader) *slowDisk {
	t.Helper()
	if pipe, ok := from.(*os.File); ok {
		if _, err := unix.FcntlInt(pipe.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
			t.Fatal(err)
		}
	}
	d := &slowDisk{path: filepath.Join(t.TempDir(), "drops"), done: make(chan error, 1)}
	file, err := os.Create(d.path)
	if err != nil {
		t.Fatal(err)
	}
	go func() { d.done <- errors.Join(d.copy(file, from), file.Close()) }()
	return d
}

func (d *slowDisk) copy(to io.Writer, from io.Reader) error {
	for {
		n, err := io.CopyN(to, from, 1024)
		d.wrote.Add(n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for wait := 0; wait < 25 && !d.quick.Load(); wait++ {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// began waits until something is written, and returns false if nothing ever is.
func (d *slowDisk) began() bool {
	for d.wrote.Load() == 0 {
		select {
		case <-d.done:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	return true
}
