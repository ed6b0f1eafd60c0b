// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

// Folded is what Options.Fold takes out of the groups: their benign drops.
type Folded struct {
	Group            // has no key
	Groups  int      // how many groups they were in
	Reasons []string // most drops first
}

// part is a group's drops of one reason, of one class of those that it has at its
// locations.
type part struct {
	group, reason string
	class         dropreason.Class
}

// partOf returns how to find the part of a drop, whatever it is grouped by.
func partOf(by profile.Grouping) func(*event.Cell, *event.Drop) part {
	return func(c *event.Cell, d *event.Drop) part {
		return part{by.Key(c, d), c.Reason.Name, dropreason.At(c.Reason.Name, c.Place()).Class}
	}
}

// fold adds parts up to groups.
type fold struct {
	groups  map[string]*profile.Value              // without what is folded
	classes map[string]map[dropreason.Class]uint64 // of groups, the drops of each
	folded  map[string]*profile.Value              // by reason
	from    map[string]bool                        // the groups that something was folded of
}

func newFold(sums *profile.Sums[part], benign bool) *fold {
	f := &fold{map[string]*profile.Value{}, map[string]map[dropreason.Class]uint64{}, map[string]*profile.Value{}, map[string]bool{}}
	for _, key := range sums.Keys {
		v := sums.Of[key]
		switch {
		case v.Drops == 0:
		case benign && key.class == dropreason.ClassBenign:
			addTo(f.folded, key.reason, v)
			f.from[key.group] = true
		default:
			f.classify(key, v.Drops)
			addTo(f.groups, key.group, v)
		}
	}
	return f
}

func (f *fold) classify(key part, drops uint64) {
	if f.classes[key.group] == nil {
		f.classes[key.group] = map[dropreason.Class]uint64{}
	}
	f.classes[key.group][key.class] += drops
}

// class returns the class of all of a group's drops; of those that are of several none,
// but how many are of each.
func (f *fold) class(group string) (dropreason.Class, map[dropreason.Class]uint64) {
	of := f.classes[group]
	if len(of) > 1 {
		return "", of
	}
	for class := range of {
		return class, nil
	}
	return "", nil
}

func addTo(sums map[string]*profile.Value, key string, v *profile.Value) {
	if sums[key] == nil {
		sums[key] = &profile.Value{Exact: true}
	}
	*sums[key] = plus(*sums[key], *v)
}

func plus(a, b profile.Value) profile.Value {
	return profile.Value{
		Drops: a.Drops + b.Drops, Bytes: a.Bytes + b.Bytes, Segments: a.Segments + b.Segments,
		Samples: a.Samples + b.Samples, Exact: a.Exact && b.Exact,
	}
}

// folded returns what was folded as one. Every cell has one reason, so the number is
// exact, whatever the groups are made of, unless cells ran out.
func (r *Report) folded(f *fold) Folded {
	whole := profile.Value{Exact: true}
	for _, v := range f.folded {
		whole = plus(whole, *v)
	}
	whole.Exact = whole.Exact || r.Loss.Overflow == 0
	reasons := slices.SortedFunc(maps.Keys(f.folded), func(a, b string) int {
		return cmp.Or(cmp.Compare(f.folded[b].Drops, f.folded[a].Drops), cmp.Compare(a, b))
	})
	return Folded{r.group(nil, whole), len(f.from), reasons}
}
