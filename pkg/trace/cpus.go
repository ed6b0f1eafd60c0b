// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/node"
)

// cpus are those that may ever be online: programs run on CPUs that are plugged in later.
type cpus struct {
	count int
	room  int // for what is kept by number, which may have gaps
}

func findCPUs(root node.Root) (cpus, error) {
	numbers, err := root.PossibleCPUs()
	if err != nil {
		return cpus{}, fmt.Errorf("count CPUs: %w", err)
	}
	return cpus{len(numbers), numbers[len(numbers)-1] + 1}, nil
}
