// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"github.com/google/pprof/profile"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// stackKey is what a sample of a pprof profile stands for. Flows and ports are
// left out: they would make every packet a sample of its own.
type stackKey struct {
	stack *event.Stack
	cell  *event.Cell
	root  string // empty if there is no sample
	comm  string
	tgid  uint32
	cpu   int

	process bool // context
	tagged  bool // comm, tgid and cpu are known
}

// maxTagged is how many different samples a profile has with tasks and CPUs.
const maxTagged = 1 << 15

// PProfOptions says what a profile shows.
type PProfOptions struct {
	// NoReason leaves the reason out as innermost frame; it stays a label.
	NoReason bool
	// RelativeAddresses counts addresses from the lowest one of their mapping, as
	// true ones tell where the kernel lies in memory.
	RelativeAddresses bool
}

// PProf returns the stacks of a source as a profile for go tool pprof: drops and
// bytes by stack, with the reason as innermost frame and what else is known of
// a drop as labels.
//
// From the maxTagged-th sample on tasks and CPUs are left out, and a comment says so: a profile is for a program that keeps all of it in memory.
//
// With an error comes the profile of what was read before it, or nil.
func PProf(src event.Source, o PProfOptions) (*profile.Profile, *event.CutError, error) {
	tagged, left := map[stackKey]struct{}{}, uint64(0)
	sums, readErr := Aggregate(src, false, func(c *event.Cell, d *event.Drop) stackKey {
		if d == nil {
			return stackKey{cell: c}
		}
		key := stackKey{d.Stack, c, root(d), d.Task.Comm, d.Task.TGID, d.CPU, d.Context == event.ContextProcess, true}
		if _, ok := tagged[key]; !ok {
			if len(tagged) == maxTagged {
				left++
				if key.process {
					key.root = "[process]"
				}
				return stackKey{stack: d.Stack, cell: c, root: key.root, process: key.process}
			}
			tagged[key] = struct{}{}
		}
		return key
	})
	b := builder{
		meta: src.Meta(), options: o, functions: map[[2]string]*profile.Function{},
		locations: map[locationKey]*profile.Location{}, mappings: map[string]*profile.Mapping{},
	}
	b.begin(sums.Duration.Nanoseconds())
	for _, key := range sums.Keys {
		if v := sums.Of[key]; v.Drops > 0 {
			b.sample(key, v)
		}
	}
	b.finish()
	if left > 0 {
		b.comment("%s without comm, pid and cpu, as there are too many of them", spell.Plural(left, "sample"))
	}
	b.comment("%s", Accounting(sums.Total.Drops, sums.Parts.Drops, sums.Sampled, sums.Loss, sums.Missing))
	if sums.Benign > 0 {
		b.comment("%s of them are benign", spell.Thousands(sums.Benign))
	}
	for _, remark := range sums.Remarks() {
		b.comment("%s", remark)
	}
	if err := b.profile.CheckValid(); err != nil {
		return nil, nil, err
	}
	return &b.profile, sums.Cut, readErr
}
