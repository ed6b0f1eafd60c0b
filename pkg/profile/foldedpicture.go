// SPDX-License-Identifier: Apache-2.0

package profile

import "github.com/dropwatch/dropwatch/flamegraph"

// leastFolded is the change of a stack with two counts up to which it is the same one, a
// share of the larger.
const leastFolded = 0.1

// DrawFolded returns folded stacks of any program as a picture: by their count, or with
// two counts a line as what changed.
func DrawFolded(f *flamegraph.Folded) *Picture {
	p := &Picture{Samples: f.Samples}
	p.Options.Measures = f.Measures(leastFolded)
	if f.TwoCounts {
		p.Options.Subtitle = "Widths are the larger of each stack's two counts; colors tell how they changed."
	}
	p.Options.Explain = StackOptions{}.Explain
	return p
}
