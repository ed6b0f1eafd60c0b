// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// DrawChange returns two recordings or more as one picture of what changed, by
// drops per second. A stack is as wide as its largest rate, so that those that
// are gone are still seen, and every frame is colored by how its own rate
// changed: a change up to a share of the larger rate counts as none.
//
// Two recordings can also be seen each by itself, more of them step by step.
// Errors are those of Compare.
func DrawChange(recordings []Recording, o StackOptions, least float64) (*Picture, error) {
	if err := checkComparison(recordings, least); err != nil {
		return nil, err
	}
	p := Picture{Drops: true}
	var readErrs []error
	rates := map[string][]uint64{} // by stack, one a recording
	for side, r := range recordings {
		stacks, err := Fold(r.Source, o)
		if err != nil {
			readErrs = append(readErrs, fmt.Errorf("read %s: %w", r.Name, err))
		}
		if stacks.Duration == 0 {
			return nil, errors.Join(append(readErrs, errNoTime(r))...)
		}
		for key, v := range stacks.Of {
			if rates[key] == nil {
				rates[key] = make([]uint64, len(recordings))
			}
			rates[key][side] = microRate(v.Drops, stacks.Duration)
		}
		p.Options.Notes = append(p.Options.Notes, r.Name+": "+sentence(r, stacks))
		p.take(r, stacks.Cut, stacks.Remarks())
	}
	for key, r := range rates {
		p.Samples = append(p.Samples, flamegraph.Sample{Stack: Frames(key), Value: slices.Max(r), More: columns(r)})
	}
	names := sideNames(recordings)
	p.Options.Title = "Packet drops, " + strings.Join(names, " → ")
	p.Options.Subtitle = "Widths are drops per second, the larger of each stack's rates; colors tell how they changed."
	p.Options.Explain = o.Explain
	p.Options.Measures = changeMeasures(names, least)
	return &p, errors.Join(readErrs...)
}

// columns returns the further columns of a stack: its rates, and for each step
// the larger of two.
func columns(rates []uint64) []uint64 {
	all := slices.Clone(rates)
	for i := range rates[1:] {
		all = append(all, max(rates[i], rates[i+1]))
	}
	return all
}

// changeMeasures returns the ways to look at a change, for columns as they are
// made above: all of it, then two sides alone or every step.
func changeMeasures(names []string, least float64) []flamegraph.Measure {
	measure := func(name string, column, from, to int) flamegraph.Measure {
		return flamegraph.Measure{
			Name: name, Unit: "packets/s", Column: column, Scale: micro,
			Change: &flamegraph.Change{From: 1 + from, To: 1 + to, FromName: names[from], ToName: names[to], Least: least},
		}
	}
	last := len(names) - 1
	all := []flamegraph.Measure{measure(names[0]+" → "+names[last], 0, 0, last)}
	if last == 1 {
		return append(all, measure(names[0], 1, 0, 1), measure(names[1], 2, 0, 1))
	}
	for i := range last {
		all = append(all, measure(names[i]+" → "+names[i+1], 1+len(names)+i, i, i+1))
	}
	return all
}

// sideNames returns what recordings are called in few letters: their file names
// without what those of recordings end in, or letters if these are alike.
func sideNames(recordings []Recording) []string {
	var names []string
	for _, r := range recordings {
		name := filepath.Base(r.Name)
		for _, end := range []string{".old", ".zst", ".jsonl"} {
			name = strings.TrimSuffix(name, end)
		}
		if name == "" || slices.Contains(names, name) {
			return letters(len(recordings))
		}
		names = append(names, name)
	}
	return names
}

// letters returns the names of that many sides, from A.
func letters(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = Letter(i)
	}
	return names
}
