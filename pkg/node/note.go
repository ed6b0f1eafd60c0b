// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"slices"
)

// notes collects notes about missing data, each once.
type notes struct{ all []string }

func (n *notes) add(format string, values ...any) {
	note := fmt.Sprintf(format, values...)
	if !slices.Contains(n.all, note) {
		n.all = append(n.all, note)
	}
}
