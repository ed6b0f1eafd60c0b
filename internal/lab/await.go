// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds each wait for something that the kernel does by itself.
const patience = 10 * time.Second

// await asks every millisecond whether something has come about.
func await(ctx context.Context, what string, done func() (bool, error)) error {
	return poll(ctx, what, time.Millisecond, done)
}

// awaitTimer asks all the time, for packets that die in a timer. Timers run on the
// CPU that set them as long as that is busy: so it is this thread that they
// interrupt, and not somebody else's.
func awaitTimer(ctx context.Context, what string, done func() (bool, error)) error {
	return poll(ctx, what, 0, done)
}

func poll(ctx context.Context, what string, pause time.Duration, done func() (bool, error)) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(pause) {
		ok, err := done()
		switch {
		case ok || err != nil:
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		case time.Now().After(deadline):
			return fmt.Errorf("wait for %s: %w", what, os.ErrDeadlineExceeded)
		}
	}
}

// uninterrupted repeats a system call that a signal has interrupted. With a time
// limit on the socket the kernel does not repeat it by itself, and the Go runtime
// sends signals to preempt.
func uninterrupted(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// field returns what match takes from the first line of a file that it accepts.
func field(file string, match func(line string) (string, bool)) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(content)) {
		if value, ok := match(strings.TrimSpace(line)); ok {
			return value, nil
		}
	}
	return "", fmt.Errorf("find line in %s: %w", file, os.ErrNotExist)
}
