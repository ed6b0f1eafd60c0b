// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dropwatch/dropwatch/flamegraph"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// Picture is stacks to draw and how. Title, words, measures and explanations are
// set; colors are the caller's choice (Colors).
type Picture struct {
	Samples []flamegraph.Sample
	Options flamegraph.Options
	Drops   bool              // the stacks are those of recordings
	Cut     []*event.CutError // of recordings that were cut short
}

// micro is the part of a rate that widths are made of: millionths of a drop per
// second.
const micro = 1e-6

// Draw returns the stacks of recordings as one picture, by packets, bytes and
// rate, with every recording's losses told below the title. The rate of several is
// the sum of theirs, and a column of its own.
//
// A recording that was cut short is no error; with any other error comes the
// picture of what was read before it.
func Draw(recordings []Recording, o StackOptions) (*Picture, error) {
	p := Picture{Drops: true}
	var words []string
	var readErrs []error
	var rate flamegraph.Measure
	exact := true
	for _, r := range recordings {
		stacks, err := Fold(r.Source, o)
		if err != nil {
			readErrs = append(readErrs, fmt.Errorf("read %s: %w", r.Name, err))
		}
		for key, v := range stacks.Of {
			more := []uint64{v.Bytes}
			if len(recordings) > 1 {
				more = append(more, microRate(v.Drops, stacks.Duration))
			}
			p.Samples = append(p.Samples, flamegraph.Sample{Stack: Frames(key), Value: v.Drops, More: more})
		}
		rate = flamegraph.Measure{Name: "rate", Unit: "packets/s", Scale: 1 / max(stacks.Duration.Seconds(), micro)}
		p.take(r, stacks.Cut, stacks.Remarks())
		exact = exact && stacks.Total.Exact
		words = append(words, sentence(r, stacks))
	}
	if len(recordings) > 1 {
		rate.Column, rate.Scale = 2, micro
	}
	p.Options.Title = "Packet drops on " + hosts(recordings)
	p.Options.Subtitle = strings.Join(words, " ")
	p.Options.Explain = o.Explain
	p.Options.Measures = []flamegraph.Measure{
		{Name: "packets", Unit: "packets"},
		{Name: "bytes", Unit: "bytes", Column: 1},
		rate,
	}
	if !exact {
		p.Options.Notes = append(p.Options.Notes, "Widths are estimated from samples; totals are exact.")
	}
	return &p, errors.Join(readErrs...)
}

// take notes what is to be known of a recording.
func (p *Picture) take(r Recording, cut *event.CutError, remarks []string) {
	if cut != nil {
		p.Cut = append(p.Cut, cut)
		p.Options.Notes = append(p.Options.Notes, cut.Error())
	}
	p.Options.Notes = append(p.Options.Notes, remarks...)
	p.Options.Notes = append(p.Options.Notes, r.Source.Meta().Notes...)
}

// sentence says when and where a recording was made, and what it lost.
func sentence(r Recording, stacks *Sums[string]) string {
	meta := r.Source.Meta()
	text := fmt.Sprintf("%s on %s, %s, Linux %s. %s.",
		meta.Start.Format(time.DateTime), meta.Host, stacks.Duration.Round(time.Millisecond), meta.Kernel,
		Accounting(stacks.Total.Drops, stacks.Parts.Drops, stacks.Sampled, stacks.Loss, stacks.Missing))
	if stacks.Benign > 0 {
		text += fmt.Sprintf(" %s of them are benign.", spell.Thousands(stacks.Benign))
	}
	return text
}

// hosts names the machines of recordings, each once.
func hosts(recordings []Recording) string {
	var names []string
	seen := map[string]bool{}
	for _, r := range recordings {
		if host := r.Source.Meta().Host; !seen[host] {
			seen[host] = true
			names = append(names, host)
		}
	}
	if len(names) > 3 {
		return fmt.Sprintf("%d hosts", len(names))
	}
	return strings.Join(names, ", ")
}

// microRate returns drops in millionths per second, 0 for a recording of no time.
func microRate(drops uint64, d time.Duration) uint64 {
	if d <= 0 {
		return 0
	}
	return uint64(math.Round(perSecond(drops, d) / micro))
}
