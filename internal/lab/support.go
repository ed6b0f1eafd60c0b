// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"errors"
	"fmt"
)

// lacking marks an error as errors.ErrUnsupported if it is one of those by which
// the kernel says, at this place, that it was built without something.
func lacking(err error, signs ...error) error {
	for _, sign := range signs {
		if errors.Is(err, sign) {
			return fmt.Errorf("%w (%w by this kernel)", err, errors.ErrUnsupported)
		}
	}
	return err
}
