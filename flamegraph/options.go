// SPDX-License-Identifier: Apache-2.0

package flamegraph

import "fmt"

// Options says how to draw. The zero value draws a flame graph without words.
type Options struct {
	// Title, Subtitle and Notes are written above the frames and below.
	Title, Subtitle string
	Notes           []string
	// Unit is what values count, in the plural: packets, bytes.
	Unit string
	// Icicle puts the root on top instead of at the bottom.
	Icicle bool
	// MinShare is the narrowest frame drawn, as a share from 0 to 1 of what is
	// on view. Narrower ones appear when zoomed to and are found by search.
	// Frames are at least one and a half pixels wide whatever it says.
	MinShare float64
	// Categories are the kinds of frames, in the legend's order. The legend
	// leaves out those that do not occur, and gives for the others the share
	// of the total in stacks with such a frame, so that shares may add up to
	// more than 1. Without categories or CategoryOf a frame's shade depends on
	// its name and there is no legend.
	Categories []Category
	// CategoryOf returns the name of a frame's category. Frames in none of
	// Categories are gray and called "other". It is called once for each name
	// and must depend on nothing else, for equal input to give equal output.
	CategoryOf func(frame string) string
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
	for _, c := range o.Categories {
		if c.Color >= colors {
			return fmt.Errorf("category %q: no color %d", c.Name, c.Color)
		}
	}
	return nil
}
