// SPDX-License-Identifier: Apache-2.0

package flamegraph_test

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/flamegraph"
)

func Example() {
	folded, err := flamegraph.Parse(strings.NewReader("main;read 30\nmain;write\nmain;close 12\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range folded.Problems {
		fmt.Println(p)
	}
	graph, err := flamegraph.New(slices.Values(folded.Samples))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(graph.Total(0), "calls")
	err = graph.WriteSVG(io.Discard, flamegraph.Options{
		Title:      "System calls",
		Measures:   []flamegraph.Measure{{Unit: "calls"}},
		Categories: []flamegraph.Category{{Name: "input", Color: flamegraph.Blue}, {Name: "output", Color: flamegraph.Orange}},
		CategoryOf: func(frame, _ string) string {
			return map[string]string{"read": "input", "write": "output"}[frame]
		},
	})
	fmt.Println(err)
	// Output:
	// line 2: no count in "main;write"
	// 42 calls
	// <nil>
}
