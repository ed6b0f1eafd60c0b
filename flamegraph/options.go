// SPDX-License-Identifier: Apache-2.0

package flamegraph

import "fmt"

// Options says how to draw. The zero value draws a flame graph without words.
type Options struct {
	// Title, Subtitle and Notes are written above the frames and below.
	Title, Subtitle string
	Notes           []string
	// Measures are the ways to weigh stacks between which the reader can
	// switch, Measure the index of the one drawn first. Without any there is
	// one without a name, of column 0.
	Measures []Measure
	Measure  int
	// Icicle puts the root on top instead of at the bottom.
	Icicle bool
	// MinShare is the narrowest frame drawn, as a share from 0 to 1 of what is
	// on view. Narrower ones appear when zoomed to and are found by search.
	// Frames are at least two pixels wide whatever it says.
	MinShare float64
	// Categories are the kinds of frames, in the legend's order. A stack
	// belongs to the category of its innermost frame that is in one; the
	// legend gives the share of each that has any, and of "other" for the
	// rest. Without categories or CategoryOf a frame's shade depends on its
	// name and there is no legend.
	Categories []Category
	// CategoryOf returns the name of a frame's category. Frames in none of
	// Categories are gray and called "other". It is given the name of the frame and
	// that of its parent, empty for the outermost, is called once for each such pair,
	// and must depend on nothing else, for equal input to give equal output.
	CategoryOf func(frame, parent string) string
	// Muted reports whether frames of a name below a parent need less attention
	// than others of their category. They are drawn paler. It is called as
	// CategoryOf is, and so is Explain.
	Muted func(frame, parent string) bool
	// Explain returns what is known of frames of a name below a parent, if
	// anything. It is shown when such a frame is clicked.
	Explain func(frame, parent string) []Fact
}

// Fact is a line of an explanation: "Meaning", "the queue is full".
type Fact struct {
	Term string
	// Text explains the term. Without it the name of the frame's parent does.
	Text string
}

// Category is a kind of frame, with the fill of such frames.
type Category struct {
	Name  string
	Color Color
}

// other is the category of frames in none of the caller's.
const other = "other"

func (o Options) check() error {
	if !(o.MinShare >= 0 && o.MinShare <= 1) {
		return fmt.Errorf("minimum share %v is not within 0 and 1", o.MinShare)
	}
	if o.Measure < 0 || o.Measure > 0 && o.Measure >= len(o.Measures) {
		return fmt.Errorf("no measure %d among %d", o.Measure, len(o.Measures))
	}
	for _, c := range o.Categories {
		if c.Color >= colors {
			return fmt.Errorf("category %q: no color %d", c.Name, c.Color)
		}
	}
	return nil
}

// checkColumns tells of measures that a graph of so many columns has not.
func (o Options) checkColumns(columns int) error {
	for _, m := range o.Measures {
		if err := m.check(columns); err != nil {
			return err
		}
	}
	return nil
}

// measures returns Measures, or the one there is without any.
func (o Options) measures() []Measure {
	if len(o.Measures) == 0 {
		return []Measure{{}}
	}
	return o.Measures
}
