// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"cmp"
	"math"
	"slices"
)

// ChangeClass says what became of a rate.
type ChangeClass string

// The classes of changes.
const (
	ClassNew     ChangeClass = "new"     // there was none at first
	ClassGone    ChangeClass = "gone"    // there is none at last
	ClassChanged ChangeClass = "changed" // by more than Comparison.MinChange
	ClassSame    ChangeClass = "same"
)

// Trend is how a rate went from side to side.
type Trend struct {
	Rates []float64     // drops per second, one a side
	Delta float64       // last rate less the first, drops per second
	Class ChangeClass   // from first to last; also ClassGone if only sides between them had any
	Steps []ChangeClass // from each side to the next
}

// Change is a group of drops that are alike in every dimension, side by side.
type Change struct {
	Key    []string // a value per dimension
	Values []Value  // one a side
	Trend
	Exact bool // all Values are
}

// compare fills in Total, of drops and of what was lost unseen, and Changes from what the
// sides add up to.
func (c *Comparison) compare(by Grouping, sides []*Sums[string]) {
	var totals []Value
	keys := map[string]bool{}
	c.Exact = true
	for _, s := range sides {
		totals = append(totals, s.whole())
		c.Exact = c.Exact && s.Total.Exact
		for _, key := range s.Keys {
			if s.Of[key].Drops > 0 {
				keys[key] = true
			}
		}
	}
	c.Total = c.trend(totals)
	for key := range keys {
		c.Changes = append(c.Changes, c.change(by, key, sides))
	}
	c.Count = len(c.Changes)
	slices.SortFunc(c.Changes, func(a, b Change) int {
		return cmp.Or(
			cmp.Compare(math.Abs(b.Delta), math.Abs(a.Delta)),
			cmp.Compare(slices.Max(b.Rates), slices.Max(a.Rates)),
			slices.Compare(a.Key, b.Key),
		)
	})
}

// change compares a group. That a side lacks it is an estimate too where samples
// alone tell which groups there are.
func (c *Comparison) change(by Grouping, key string, sides []*Sums[string]) Change {
	change := Change{Key: by.Values(key), Exact: true}
	for _, s := range sides {
		v := Value{Exact: s.Total.Exact}
		if of := s.Of[key]; of != nil {
			v = *of
		}
		change.Values = append(change.Values, v)
		change.Exact = change.Exact && v.Exact
	}
	change.Trend = c.trend(change.Values)
	return change
}

func (c *Comparison) trend(values []Value) Trend {
	var t Trend
	for i, v := range values {
		t.Rates = append(t.Rates, perSecond(v.Drops, c.Sides[i].Duration))
		if i > 0 {
			t.Steps = append(t.Steps, c.class(t.Rates[i-1], t.Rates[i]))
		}
	}
	first, last := t.Rates[0], t.Rates[len(values)-1]
	t.Delta, t.Class = last-first, c.class(first, last)
	if last == 0 && slices.Max(t.Rates) > 0 {
		t.Class = ClassGone
	}
	return t
}

// rounding is far above what the division of a rate rounds off, as a share: a change
// of exactly MinChange is none.
const rounding = 1e-9

func (c *Comparison) class(from, to float64) ChangeClass {
	switch {
	case from == to:
		return ClassSame
	case from == 0:
		return ClassNew
	case to == 0:
		return ClassGone
	case math.Abs(to-from) > (c.MinChange+rounding)*max(from, to):
		return ClassChanged
	}
	return ClassSame
}
