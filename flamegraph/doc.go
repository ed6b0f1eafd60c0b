// SPDX-License-Identifier: Apache-2.0

// Package flamegraph draws stacks as one interactive file, SVG or HTML, that
// needs nothing else: no server, no library, no network.
//
// Parse reads folded stacks, New merges them into a tree, WriteSVG and WriteHTML
// draw it:
//
//	folded, err := flamegraph.Parse(file)
//	if err != nil {
//		return err
//	}
//	for _, problem := range folded.Problems {
//		log.Print(problem)
//	}
//	graph, err := flamegraph.New(slices.Values(folded.Samples))
//	if err != nil {
//		return err
//	}
//	return graph.WriteSVG(out, flamegraph.Options{Title: "Calls", Measures: folded.Measures(0.1)})
//
// Samples may have several values each, and Measures let the reader switch
// between them. A measure with a Change colors frames by how they changed from
// one value to another.
//
// Equal samples give equal bytes, in whatever order they come. The file is
// right without JavaScript; with it frames can be zoomed, searched and linked
// to. Its script and its style are the same in every file, so that a strict
// content policy can name them by their hashes (see ContentSecurityPolicy).
//
// Every stack is in the file once, in a compact form. Only frames wide enough
// to be seen become boxes; zooming brings the others back and searching counts
// them.
package flamegraph
