// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"os"

	"github.com/dropwatch/dropwatch/pkg/privilege"
)

// DeniedError says that the kernel does not let this process trace, and why. It matches
// os.ErrPermission (errors.Is).
type DeniedError struct {
	privilege.Refusal
	err error // what was tried
}

func (e *DeniedError) Error() string { return e.Why + ": " + e.err.Error() }

func (e *DeniedError) Unwrap() error { return e.err }

// Is matches os.ErrPermission, which an error of the verifier does not wrap.
func (e *DeniedError) Is(target error) bool { return target == os.ErrPermission }

// ErrNoTypes says that the kernel does not provide its types: it was built without
// CONFIG_DEBUG_INFO_BTF, or /sys/kernel/btf is hidden.
var ErrNoTypes = errors.New("no /sys/kernel/btf/vmlinux")
