// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"errors"
	"math"
	"math/bits"
	"slices"
)

// Folded is what folded stacks hold.
type Folded struct {
	// Samples are the stacks, in order. Where each line has two counts, Value is the
	// larger one and More holds both.
	Samples []Sample
	// Digits is how many digits after the point counts have, 9 at most: a value of 1
	// stands for 10^-Digits.
	Digits int
	// TwoCounts reports that lines have two counts, before a change and after it, as
	// difffolded.pl writes them.
	TwoCounts bool
	// Problems are the first lines that were left out, ten at most, Left how many
	// there are.
	Problems []LineError
	Left     int
	// LeftCount is what the lines left out would have added to the total, as far as they
	// have a number, in units of a count.
	LeftCount float64
}

// mostProblems is how many lines that were left out are kept.
const mostProblems = 10

// errTwoCounts is returned for folded stacks that do not go together.
var errTwoCounts = errors.New("some of these stacks have two counts a line, and some have one")

// Scale returns what a value of 1 stands for, as Measure.Scale wants it.
func (f *Folded) Scale() float64 { return math.Pow10(-f.Digits) }

// Total returns the sum of the samples' values.
func (f *Folded) Total() (total uint64) {
	for _, s := range f.Samples {
		total += s.Value
	}
	return total
}

// MostlyLeft reports whether at least half was left out, by lines or by counts.
func (f *Folded) MostlyLeft() bool {
	return f.Left > 0 && f.Left >= len(f.Samples) || f.LeftCount > 0 && f.LeftCount >= float64(f.Total())*f.Scale()
}

// Measures returns the ways to weigh the stacks: by their count, or by two counts and
// the larger of them, where frames that changed by less than a share are the same.
func (f *Folded) Measures(least float64) []Measure {
	if !f.TwoCounts {
		return []Measure{{Name: "count", Scale: f.Scale()}}
	}
	const before, after = "before", "after"
	change := &Change{From: 1, To: 2, FromName: before, ToName: after, Least: least}
	return []Measure{
		{Name: before + " → " + after, Scale: f.Scale(), Change: change},
		{Name: before, Column: 1, Scale: f.Scale(), Change: change},
		{Name: after, Column: 2, Scale: f.Scale(), Change: change},
	}
}

// Add adds the stacks of another file, whose problems are not taken over. It changes
// both. It fails if one of them alone has two counts, and if their total exceeds a uint64.
func (f *Folded) Add(g *Folded) error {
	if len(f.Samples) > 0 && len(g.Samples) > 0 && f.TwoCounts != g.TwoCounts {
		return errTwoCounts
	}
	f.TwoCounts = f.TwoCounts || g.TwoCounts
	digits := max(f.Digits, g.Digits)
	if err := errors.Join(f.rescale(digits), g.rescale(digits)); err != nil {
		return err
	}
	if _, carry := bits.Add64(f.Total(), g.Total(), 0); carry != 0 {
		return errTotal
	}
	f.Samples = append(f.Samples, g.Samples...)
	return nil
}

// rescale makes values have more digits after the point.
func (f *Folded) rescale(digits int) error {
	factor := powersOf10[digits-f.Digits]
	f.Digits = digits
	if high, _ := bits.Mul64(f.Total(), factor); high != 0 {
		return errTotal
	}
	for i := range f.Samples {
		s := &f.Samples[i]
		s.Value *= factor
		for j := range s.More {
			s.More[j] *= factor
		}
	}
	return nil
}

// addProblems adds those of lines that were read already.
func (f *Folded) addProblems(problems []LineError) {
	f.Problems = append(f.Problems, problems...)
	slices.SortStableFunc(f.Problems, func(a, b LineError) int { return a.Line - b.Line })
	f.Problems = f.Problems[:min(len(f.Problems), mostProblems)]
}
