// SPDX-License-Identifier: Apache-2.0

package counters

import "strings"

// statistics are the statistics of a driver that count losses. Values with the same name are
// added up: vmxnet3 has one for each queue (vmxnet3_get_strings,
// drivers/net/vmxnet3/vmxnet3_ethtool.c).
type statistics struct {
	names []string // each once, in the driver's order
	of    []int    // for each value of the driver, its index in names, or -1
}

// newStatistics takes all names of a driver. Some drivers indent them for ethtool -S.
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
