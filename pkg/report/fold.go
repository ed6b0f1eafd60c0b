// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

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

// part is a group's drops of one kind.
type part struct {
	group string
	*kind
}

// kind is a reason, and a class of those that it has at its locations.
type kind struct {
	reason string
	class  dropreason.Class
}

// partOf returns how to find the part of a drop, whatever it is grouped by.
func partOf(by profile.Grouping) func(*event.Cell, *event.Drop) part {
	kinds := map[kind]*kind{}
	return func(c *event.Cell, d *event.Drop) part {
		k := kind{c.Reason.Name, dropreason.Of(c).Class}
		if kinds[k] == nil {
			kinds[k] = &k
		}
		return part{by.Key(c, d), kinds[k]}
	}
}

// fold adds parts up to groups.
type fold struct {
	groups []total                   // without what is folded
	folded map[string]*profile.Value // by reason
	from   int                       // how many groups something was folded of
	benign profile.Value             // folded or not
}

// total is a group while it is added up.
type total struct {
	key string
	profile.Value
	benign  uint64                      // of the drops
	class   dropreason.Class            // that of all its drops so far
	classes map[dropreason.Class]uint64 // nil if they are of one
}

func newFold(sums *profile.Sums[part], benign bool) *fold {
	f := &fold{folded: map[string]*profile.Value{}, groups: make([]total, 0, len(sums.Keys))}
	slices.SortStableFunc(sums.Keys, func(a, b part) int { return strings.Compare(a.group, b.group) })
	for i, from := 0, ""; i < len(sums.Keys); i++ {
		key := sums.Keys[i]
		v := sums.Of[key]
		if key.class == dropreason.ClassBenign {
			f.benign = plus(f.benign, *v)
		}
		switch {
		case v.Drops == 0:
		case benign && key.class == dropreason.ClassBenign:
			addTo(f.folded, key.reason, v)
			if f.from == 0 || from != key.group {
				from = key.group
				f.from++
			}
		default:
			if last := len(f.groups) - 1; last < 0 || f.groups[last].key != key.group {
				f.groups = append(f.groups, total{key: key.group, Value: profile.Value{Exact: true}, class: key.class})
			}
			f.groups[len(f.groups)-1].add(key.class, v)
		}
	}
	return f
}

func (t *total) add(class dropreason.Class, v *profile.Value) {
	if t.classes == nil && class != t.class {
		t.classes = map[dropreason.Class]uint64{t.class: t.Drops}
		t.class = ""
	}
	if t.classes != nil {
		t.classes[class] += v.Drops
	}
	if class == dropreason.ClassBenign {
		t.benign += v.Drops
	}
	t.Value = plus(t.Value, *v)
}

// keep keeps the first groups and returns the sum of the others, without a class, nil if
// there are none.
func (f *fold) keep(n int) *total {
	if n <= 0 || n >= len(f.groups) {
		return nil
	}
	rest := total{Value: profile.Value{Exact: true}}
	for i := range f.groups[n:] {
		rest.Value = plus(rest.Value, f.groups[n+i].Value)
		rest.benign += f.groups[n+i].benign
	}
	f.groups = f.groups[:n]
	return &rest
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
	whole := total{Value: profile.Value{Exact: true}}
	for _, v := range f.folded {
		whole.Value = plus(whole.Value, *v)
	}
	whole.benign = whole.Drops
	whole.Exact = whole.Exact || r.Loss.Overflow == 0
	reasons := slices.SortedFunc(maps.Keys(f.folded), func(a, b string) int {
		return cmp.Or(cmp.Compare(f.folded[b].Drops, f.folded[a].Drops), cmp.Compare(a, b))
	})
	return Folded{r.group(nil, &whole), f.from, reasons}
}
