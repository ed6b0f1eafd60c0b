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

// part is a group's drops of one reason.
type part struct{ group, reason string }

// partOf returns how to find the part of a drop, whatever it is grouped by.
func partOf(by profile.Grouping) func(*event.Cell, *event.Drop) part {
	return func(c *event.Cell, d *event.Drop) part { return part{by.Key(c, d), c.Reason.Name} }
}

// fold adds parts up to groups.
type fold struct {
	groups map[string]*profile.Value // without what is folded
	folded map[string]*profile.Value // by reason
	from   map[string]bool           // the groups that something was folded of
}

func newFold(sums *profile.Sums[part], benign bool) *fold {
	f := &fold{map[string]*profile.Value{}, map[string]*profile.Value{}, map[string]bool{}}
	for _, key := range sums.Keys {
		v := sums.Of[key]
		switch {
		case v.Drops == 0:
		case benign && dropreason.Lookup(key.reason).Class == dropreason.ClassBenign:
			addTo(f.folded, key.reason, v)
			f.from[key.group] = true
		default:
			addTo(f.groups, key.group, v)
		}
	}
	return f
}

func addTo(sums map[string]*profile.Value, key string, v *profile.Value) {
	if sums[key] == nil {
		sums[key] = &profile.Value{Exact: true}
	}
	*sums[key] = plus(*sums[key], *v)
}

func plus(a, b profile.Value) profile.Value {
	return profile.Value{
		Drops: a.Drops + b.Drops, Bytes: a.Bytes + b.Bytes,
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
