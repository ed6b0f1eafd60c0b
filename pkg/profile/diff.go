// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// Recording is a source and what its user calls it.
type Recording struct {
	Name   string
	Source event.Source
}

// CompareOptions says how to compare.
type CompareOptions struct {
	By        []Dimension
	MinChange float64 // up to this share of the larger rate, 0 to 1, rates are the same
	Limit     int     // changes to keep; 0: all
	Fold      bool    // take benign drops out of the groups
}

// Comparison says what became of drops from recording to recording. Rates are
// compared as they are, not as shares: where all fall alike, all are seen to fall.
type Comparison struct {
	Sides      []Side
	By         []string // names of the dimensions
	ByFunction bool     // locations are functions without offsets, as the kernels differ
	MinChange  float64
	Exact      bool     // no group of any side is an estimate
	Total      Trend    // of lost packets: drops that are not benign, and unseen ones
	Benign     Trend    // of drops that nobody misses; zero if there are none
	Folded     bool     // CompareOptions.Fold
	Changes    []Change // largest Delta first, whichever way
	Count      int      // changes in all, with what CompareOptions.Limit left out
}

// Side is one recording of a Comparison.
type Side struct {
	Name     string
	Meta     *event.Meta
	Duration time.Duration // above 0
	Total    Value         // Exact if no group is an estimate
	Benign   uint64        // of Total.Drops, those that nobody misses
	Sampled  event.Totals
	Loss     event.Loss
	Missing  uint64          // samples that were read and are not in the recording
	Cut      *event.CutError // nil unless the recording was cut short
	Parts    uint64          // of packets, which are no drops
	Unseen   uint64          // packets that only counters tell of
	Remarks  []string        // see Sums.Remarks
}

// Rate returns all drops per second.
func (s Side) Rate() float64 { return perSecond(s.Total.Drops, s.Duration) }

// Lost returns how many drops are not benign.
func (s Side) Lost() uint64 { return s.Total.Drops - s.Benign }

// LossRate returns them per second.
func (s Side) LossRate() float64 { return perSecond(s.Lost(), s.Duration) }

// perSecond divides integers, so that equal rates are equal floats over whatever
// time they were measured; that of more than 2^32 drops may be rounded.
func perSecond(drops uint64, d time.Duration) float64 {
	return float64(drops) * float64(time.Second) / float64(d)
}

// Compare reads two recordings or more and compares the last with the first. A
// recording that was cut short is no error: Side.Cut tells. With any other read
// error comes a Comparison of what was read, or nil where a recording covers no time
// and so has no rates.
func Compare(recordings []Recording, options CompareOptions) (*Comparison, error) {
	if err := checkComparison(recordings, options.MinChange); err != nil {
		return nil, err
	}
	by := Grouping(options.By)
	c := &Comparison{By: by.Names(), MinChange: options.MinChange, Folded: options.Fold}
	if !oneKernel(recordings) {
		by, c.ByFunction = by.acrossKernels(), slices.Contains(c.By, locationName)
	}
	var sums []*Sums[judged]
	var readErrs []error
	for _, r := range recordings {
		of, err := Aggregate(r.Source, by.ByCell(), by.judge)
		if err != nil {
			readErrs = append(readErrs, fmt.Errorf("read %s: %w", r.Name, err))
		}
		if of.Duration == 0 {
			return nil, errors.Join(append(readErrs, errNoTime(r))...)
		}
		sums = append(sums, of)
		c.Sides = append(c.Sides, Side{r.Name, r.Source.Meta(), of.Duration, of.Total, of.Benign, of.Sampled, of.Loss, of.Missing, of.Cut, of.Parts.Drops, of.Unseen.Drops, of.Remarks()})
	}
	c.compare(by, sums)
	if options.Limit > 0 {
		c.Changes = c.Changes[:min(options.Limit, c.Count)]
	}
	return c, errors.Join(readErrs...)
}

func checkComparison(recordings []Recording, minChange float64) error {
	if len(recordings) < 2 {
		return fmt.Errorf("compare %s: needs two or more", spell.Plural(uint64(len(recordings)), "recording"))
	}
	if !(minChange >= 0 && minChange <= 1) {
		return fmt.Errorf("compare with a smallest change of %g: needs a share from 0 to 1", minChange)
	}
	return nil
}

func errNoTime(r Recording) error { return fmt.Errorf("%s covers no time: cannot give rates", r.Name) }

// Letter names a side: A to Z, then AA, AB and so on.
func Letter(i int) string {
	last := string(rune('A' + i%26))
	if i < 26 {
		return last
	}
	return Letter(i/26-1) + last
}

// oneKernel reports whether the same offset in a function is the same code in all
// recordings: build ids tell, and releases where one is not known.
func oneKernel(recordings []Recording) bool {
	for i, r := range recordings {
		for _, earlier := range recordings[:i] {
			if !sameKernel(r.Source.Meta(), earlier.Source.Meta()) {
				return false
			}
		}
	}
	return true
}

func sameKernel(a, b *event.Meta) bool {
	if a.BuildID != "" && b.BuildID != "" {
		return a.BuildID == b.BuildID
	}
	return a.Kernel == b.Kernel && a.Arch == b.Arch
}
