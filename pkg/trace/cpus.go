// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/node"
)

// cpus are the possible CPUs: programs also run on CPUs that are plugged in later.
type cpus struct {
	count int
	room  int // length of an array indexed by CPU; numbers may have gaps
}

func findCPUs(root node.Root) (cpus, error) {
	numbers, err := root.PossibleCPUs()
	if err != nil {
		return cpus{}, fmt.Errorf("count CPUs: %w", err)
	}
	return cpus{len(numbers), numbers[len(numbers)-1] + 1}, nil
}
