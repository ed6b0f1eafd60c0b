// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/spell"
)

// say is fmt.Sprintf for people: counts, which are uint64, have their thousands apart.
func say(format string, args ...any) string {
	for i, arg := range args {
		if n, ok := arg.(uint64); ok {
			args[i] = grouped(n)
		}
	}
	return fmt.Sprintf(format, args...)
}

type grouped uint64

// Format implements fmt.Formatter.
func (n grouped) Format(f fmt.State, _ rune) { fmt.Fprint(f, spell.Thousands(uint64(n))) }
