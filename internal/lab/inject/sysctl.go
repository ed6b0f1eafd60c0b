// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"fmt"
	"os"
)

// override sets a sysctl of the node, named by its path below /proc/sys/net/core,
// until restore is called.
func override(name, value string) (restore func() error, err error) {
	path := "/proc/sys/net/core/" + name
	before, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read sysctl: %w", err)
	}
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		return nil, fmt.Errorf("set sysctl to %q: %w", value, err)
	}
	return func() error {
		if err := os.WriteFile(path, before, 0); err != nil {
			return fmt.Errorf("restore sysctl to %q: %w", before, err)
		}
		return nil
	}, nil
}
