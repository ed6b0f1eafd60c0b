// SPDX-License-Identifier: Apache-2.0

// Package report makes one Report of a source, and prints it as text or JSON. All
// that is computed is computed here; the printers only spell it.
package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/ledger"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

// Report says where packets were lost.
type Report struct {
	Meta     *event.Meta
	Duration time.Duration
	Drops    uint64
	Bytes    uint64
	Segments uint64 // that the packets held; 0: not known
	Lost     Loss   // of Drops, what is not benign
	Parts    uint64 // of packets, freed with them: no drops, in no group
	Unseen   uint64 // packets of no drop, which only counters tell of
	Unwound  uint64
	Sampled  event.Totals
	Loss     event.Loss
	Missing  uint64         // samples that were read and are not in the source
	By       []string       // names of the dimensions
	Exact    bool           // no group is an estimate
	Groups   []Group        // most drops first
	More     Group          // what Options.Limit left out; Count says how many groups
	Count    int            // groups in all
	Ledger   *ledger.Ledger // nil if counters were not read
	Benign   Folded         // what Options.Fold left out; none of it in Groups, More and Count
	Stalls   *StallSums
	Limit    int // Options.Limit
	Cut      *event.CutError
}

// Loss is packets that somebody misses.
type Loss struct {
	Drops    uint64
	Segments uint64 // that the packets held; 0: not known
}

// Group is a row: drops that are alike in every dimension.
type Group struct {
	Key   []string // a value per dimension
	Drops uint64
	Bytes uint64

	Segments uint64 // that the packets held; 0: not known

	Share   float64 // that its drops which are not benign have of Lost and Unseen, 0 to 1
	Rate    float64 // drops per second
	Samples uint64
	Exact   bool
	// Class is that of all of the group's drops, each where it was freed. If they are of
	// several it is empty, and Classes tells how many are of each.
	Class    dropreason.Class
	Classes  map[dropreason.Class]uint64
	Inferred bool // the reason was, if the key holds it
}

// Options says how to group.
type Options struct {
	By    []profile.Dimension
	Limit int  // groups to show; 0: all
	Fold  bool // take benign drops out of the groups; totals keep them
}

// DefaultBy is what reports group by unless told otherwise.
const DefaultBy = "reason,location,device"

// DefaultDiffBy is what comparisons group by unless told otherwise.
const DefaultDiffBy = "reason,location"

// Builder makes a Report of events as they come.
type Builder struct {
	meta  *event.Meta
	by    profile.Grouping
	limit int
	fold  bool
	sums  *profile.Aggregator[part]

	stalls *StallSums
}

// NewBuilder returns a Builder for the events of a recording.
func NewBuilder(meta *event.Meta, options Options) *Builder {
	by := profile.Grouping(options.By)
	return &Builder{meta, by, options.Limit, options.Fold, profile.NewAggregator(by.ByCell(), partOf(by)), NewStallSums(meta)}
}

// Add adds an event.
func (b *Builder) Add(e event.Event) {
	b.sums.Add(e)
	b.stalls.Add(e)
}

// Report returns what was added so far.
func (b *Builder) Report() *Report {
	sums := b.sums.Sums()
	r := &Report{
		Meta: b.meta, Duration: sums.Duration,
		Drops: sums.Total.Drops, Bytes: sums.Total.Bytes, Segments: sums.Total.Segments,
		Parts: sums.Parts.Drops, Unseen: sums.Unseen.Drops, Ledger: sums.Ledger,
		Unwound: event.Unwound(sums.Sampled, sums.Loss), Sampled: sums.Sampled, Loss: sums.Loss, Missing: sums.Missing,
		By: b.by.Names(), Stalls: b.stalls, Limit: b.limit,
	}
	parts := newFold(sums, b.fold)
	r.Lost = Loss{r.Drops - min(parts.benign.Drops, r.Drops), r.Segments - min(parts.benign.Segments, r.Segments)}
	// Values of a key are in the order of their texts, as what is between them is before
	// whatever they hold.
	slices.SortFunc(parts.groups, func(a, b total) int {
		return cmp.Or(cmp.Compare(b.Drops, a.Drops), strings.Compare(a.key, b.key))
	})
	r.Count = len(parts.groups)
	r.Exact = !slices.ContainsFunc(parts.groups, func(t total) bool { return !t.Exact })
	if rest := parts.keep(b.limit); rest != nil {
		r.More = r.group(nil, rest)
	}
	r.Groups = slices.Grow(r.Groups, len(parts.groups))
	for i := range parts.groups {
		t := &parts.groups[i]
		r.Groups = append(r.Groups, r.group(b.by.Values(t.key), t))
	}
	r.Benign = r.folded(parts)
	r.Exact = r.Exact && r.Benign.Exact
	return r
}

func (r *Report) group(key []string, t *total) Group {
	g := Group{
		Key: key, Drops: t.Drops, Bytes: t.Bytes, Segments: t.Segments, Samples: t.Samples, Exact: t.Exact,
		Class: t.class, Classes: t.classes,
	}
	if reason, ok := reasonOf(r.By, key); ok {
		g.Inferred = reason.Inferred
	}
	if all := r.Lost.Drops + r.Unseen; all > 0 {
		g.Share = float64(t.Drops-t.benign) / float64(all)
	}
	if seconds := r.Duration.Seconds(); seconds > 0 {
		g.Rate = float64(t.Drops) / seconds
	}
	return g
}

// reasonOf returns the reason in a group's key, not ok if there is none.
func reasonOf(by, key []string) (reason event.Reason, ok bool) {
	i := slices.Index(by, "reason")
	if i < 0 || key == nil {
		return event.Reason{}, false
	}
	return event.ParseReason(key[i]), true
}

// Read makes a Report of all of a source. A recording that was cut short is no
// error, Report.Cut tells; with any other error comes a Report of what was read.
func Read(src event.Source, options Options) (*Report, error) {
	b := NewBuilder(src.Meta(), options)
	err := profile.Each(src, func(e event.Event) error { b.Add(e); return nil })
	r := b.Report()
	if cut, ok := event.AsCut(err); ok {
		r.Cut, err = cut, nil
	}
	return r, err
}
