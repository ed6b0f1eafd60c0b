// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// exclude waits until no other bench is open. Only one process can bind an abstract
// name, and it loses it when it ends.
func (b *Bench) exclude() error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open socket: %w", err)
	}
	b.onClose(func() error { return unix.Close(fd) })
	return await("other bench to close", time.Minute, func() (bool, error) {
		err := unix.Bind(fd, &unix.SockaddrUnix{Name: "@dropwatch/lab/inject"})
		if err != nil && !errors.Is(err, unix.EADDRINUSE) {
			return false, fmt.Errorf("bind abstract socket: %w", err)
		}
		return err == nil, nil
	})
}
