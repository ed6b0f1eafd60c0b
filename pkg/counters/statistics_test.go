// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStatistics(t *testing.T) {
	for name, test := range map[string]struct {
		all  []string
		want statistics
	}{
		"none": {nil, statistics{of: []int{}}},
		"each once": {
			[]string{"rx_packets", "rx_missed_errors", "tx_dropped"},
			statistics{[]string{"rx_missed_errors", "tx_dropped"}, []int{-1, 0, 1}},
		},
		"queues with the same names": { // vmxnet3, cut
			[]string{"Rx Queue#", "  LRO pkts rx", "  pkts rx OOB", "     fcs", "Rx Queue#", "  LRO pkts rx", "  pkts rx OOB", "     fcs"},
			statistics{[]string{"pkts rx OOB", "fcs"}, []int{-1, -1, 0, 1, -1, -1, 0, 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newStatistics(test.all), cmp.AllowUnexported(statistics{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
