// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestMultiplyLoads has the verifier look at the program for backlogs of any length.
func TestMultiplyLoads(t *testing.T) {
	labtest.NeedRoot(t)
	control, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 2})
	labtest.Need(t, err)
	defer control.Close()
	for _, limit := range []int32{0, 300, 1000, 32768, maxBacklog} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			scene := &Scene{net: &Net{}}
			defer scene.Close()
			_, err := scene.program(ebpf.SchedCLS, ebpf.AttachNone, multiply(control, 2, limit))
			labtest.Need(t, err)
		})
	}
}
