// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/privilege"
)

// drop drops for good the capabilities that are not needed any more. Where that is not
// possible the command goes on with all it has, and says so.
func drop(s streams, needed privilege.Set) {
	if err := privilege.Keep(needed); err != nil {
		fmt.Fprintf(s.err, "warning: all privileges are kept: %v\n", err)
	}
}
