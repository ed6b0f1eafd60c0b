// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// generate returns unique stacks of some twenty frames, always the same ones:
// each leaves the one before it at some depth for frames of its own. About 450
// of them are wide enough to be drawn up to the leaf, which makes more boxes
// than pictures draw.
func generate(stacks, names int) []flamegraph.Sample {
	r := rand.New(rand.NewPCG(1, 2))
	common := rand.NewZipf(r, 1.05, 20, uint64(names-1))
	name := func() string { return fmt.Sprintf("function_of_the_kernel_%x", common.Uint64()) }
	all := make([]flamegraph.Sample, 0, stacks)
	var stack []string
	for i := range stacks {
		stack = stack[:min(len(stack), 1+r.IntN(20))]
		for range 1 + r.IntN(18) {
			stack = append(stack, name())
		}
		stack = append(stack, fmt.Sprintf("reason_%x", i)) // which makes it unique
		value := 1 + r.Uint64N(20)
		if i%(stacks/450) == 0 {
			value += uint64(stacks) / 5
		}
		all = append(all, flamegraph.Sample{Stack: slices.Clone(stack), Value: value})
	}
	return all
}
