// SPDX-License-Identifier: Apache-2.0

package privilege

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Keep drops for good all capabilities of this process that are not in the set, on all
// threads, and forbids that programs it runs gain any (PR_SET_NO_NEW_PRIVS). Those it
// keeps are not inherited.
//
// The error is errors.ErrUnsupported in a binary that uses cgo, whose threads Go does
// not know; nothing has changed then.
func Keep(set Set) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("read own capabilities: %w", err)
	}
	for i := range data {
		permitted := data[i].Permitted & uint32(set>>(32*i))
		data[i] = unix.CapUserData{Effective: permitted, Permitted: permitted}
	}
	if _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
		return fmt.Errorf("forbid new privileges: %w", errno)
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data[0])), 0)
	if errno != 0 {
		return fmt.Errorf("drop capabilities: %w", errno)
	}
	return nil
}
