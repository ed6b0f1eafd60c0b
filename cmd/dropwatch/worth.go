// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// soon is how long a recording lasts at least that may displace the one before it though
// it was cut short: a recorder that fails and starts again and again leaves a good one
// alone.
const soon = time.Minute

// worthKeeping reports whether a file becomes NAME.old, and what bears that name is lost.
// A recording that was cut short soon does not.
func worthKeeping(dir *os.File, base string) bool {
	var old unix.Stat_t
	if err := unix.Fstatat(int(dir.Fd()), oldName(base), &old, unix.AT_SYMLINK_NOFOLLOW); err != nil || old.Size == 0 {
		return true
	}
	fd, err := unix.Openat(int(dir.Fd()), base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return true
	}
	file := os.NewFile(uintptr(fd), base)
	defer file.Close()
	src, err := recording.NewReader(file)
	if err != nil {
		return errors.Is(err, recording.ErrNotRecording) // nothing else is thrown away
	}
	defer src.Close()
	for {
		e, err := src.Next()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if tick, ok := e.(*event.Tick); ok && tick.Time >= soon {
			return true
		}
	}
}
