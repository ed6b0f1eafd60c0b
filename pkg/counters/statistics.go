// SPDX-License-Identifier: Apache-2.0

package counters

import "strings"

// statistics are those of a driver that tell of loss. It may give several the same
// name, one for each queue, as vmxnet3 does (vmxnet3_get_strings,
// drivers/net/vmxnet3/vmxnet3_ethtool.c): they are added up.
type statistics struct {
	names []string // each once, in the driver's order
	of    []int    // of each value that the driver has: its place in names, or -1
}

// newStatistics takes all names that a driver has. Some indent them, for ethtool -S.
func newStatistics(all []string) statistics {
	s := statistics{of: make([]int, len(all))}
	places := map[string]int{}
	for i, name := range all {
		name = strings.TrimSpace(name)
		place, known := places[name]
		switch {
		case !lossy(name):
			place = -1
		case !known:
			place = len(s.names)
			places[name] = place
			s.names = append(s.names, name)
		}
		s.of[i] = place
	}
	return s
}
