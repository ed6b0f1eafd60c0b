// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"fmt"
	"os"
	"time"
)

// Bounds of waits for the kernel.
const (
	patience = MaxHold + 5*time.Second // for what comes unless something is broken
	transit  = time.Second             // for packets under way, which may be lost
)

// await asks every millisecond whether something has come about.
func await(what string, patience time.Duration, done func() (bool, error)) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		ok, err := done()
		switch {
		case ok || err != nil:
			return err
		case time.Now().After(deadline):
			return fmt.Errorf("wait for %s: %w", what, os.ErrDeadlineExceeded)
		}
	}
}
