// SPDX-License-Identifier: Apache-2.0

package dropreason_test

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
)

func ExampleLookup() {
	reason := dropreason.Lookup("CPU_BACKLOG")
	fmt.Println(reason.Layer, reason.Class)
	fmt.Println(reason.Meaning)
	// Output:
	// device loss
	// The CPU's receive backlog is full (net.core.netdev_max_backlog), or the RPS flow limit held back one big flow.
}

// A reason may stand for something else where a function frees packets for it.
func ExampleAt() {
	fmt.Println(dropreason.Lookup("NOT_SPECIFIED").Class)
	fmt.Println(dropreason.At("NOT_SPECIFIED", "tcp_v4_rcv").Class)
	// Output:
	// unknown
	// benign
}
