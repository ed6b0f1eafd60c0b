// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"fmt"

	"github.com/dropwatch/dropwatch/internal/lab"
	"golang.org/x/sys/unix"
)

// setAttribute writes a file of the host's device, named by its path below
// /sys/class/net/DEVICE. A sysfs shows the devices of the namespace that it was
// mounted in; this one is mounted nowhere. Needs kernel 5.2+.
func setAttribute(h *lab.Host, name, value string) error {
	err := h.Do(func() error {
		fs, err := unix.Fsopen("sysfs", unix.FSOPEN_CLOEXEC)
		if err != nil {
			return err
		}
		defer unix.Close(fs)
		if err := unix.FsconfigCreate(fs); err != nil {
			return err
		}
		root, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(root)
		file, err := unix.Openat(root, "class/net/"+h.Device+"/"+name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(file)
		_, err = unix.Write(file, []byte(value))
		return err
	})
	if err != nil {
		return fmt.Errorf("set %s of %s to %q: %w", name, h.Device, value, err)
	}
	return nil
}
