// SPDX-License-Identifier: Apache-2.0

package privilege

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Keep permanently drops all capabilities of this process that are not in the set, on all
// threads. It sets PR_SET_NO_NEW_PRIVS, so that programs the process executes gain none.
// The capabilities it keeps are not inherited.
//
// In a binary that uses cgo, Keep changes nothing and returns errors.ErrUnsupported: the
// Go runtime does not know the threads that C code creates.
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
