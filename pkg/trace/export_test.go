// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import "fmt"

// OpenBy attaches by one rung alone.
func OpenBy(config Config, name string) (*Tracer, error) {
	for _, r := range kfreeSkbLadder() {
		if r.name == name {
			return open(config, []rung{r})
		}
	}
	return nil, fmt.Errorf("no rung %q", name)
}
