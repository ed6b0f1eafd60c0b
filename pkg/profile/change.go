// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"cmp"
	"math"
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
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

// judged is the benign drops of a group, or the others.
type judged struct {
	group  string
	benign bool
}

// judge returns what a drop belongs to. A cell is of one class.
func (g Grouping) judge(c *event.Cell, d *event.Drop) judged {
	return judged{g.Key(c, d), isBenign(c)}
}

// groups returns what groups add up to, with their benign drops or without.
func groups(s *Sums[judged], benign bool) map[string]*Value {
	of := map[string]*Value{}
	for key, v := range s.Of {
		if key.benign && !benign {
			continue
		}
		if of[key.group] == nil {
			of[key.group] = &Value{Exact: true}
		}
		v.addTo(of[key.group])
	}
	return of
}

// compare fills in what the sides add up to, of drops and of what was lost unseen, and
// Changes.
func (c *Comparison) compare(by Grouping, sides []*Sums[judged]) {
	var lost, benign []Value
	var of []map[string]*Value
	keys := map[string]bool{}
	c.Exact = true
	for i, s := range sides {
		lost = append(lost, Value{Drops: c.Sides[i].Lost() + s.Unseen.Drops})
		benign = append(benign, Value{Drops: c.Sides[i].Benign})
		c.Exact = c.Exact && s.Total.Exact
		of = append(of, groups(s, !c.Folded))
		for key, v := range of[i] {
			if v.Drops > 0 {
				keys[key] = true
			}
		}
	}
	c.Total = c.trend(lost)
	if slices.ContainsFunc(c.Sides, func(s Side) bool { return s.Benign > 0 }) {
		c.Benign = c.trend(benign)
	}
	for key := range keys {
		c.Changes = append(c.Changes, c.change(by, key, of))
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
func (c *Comparison) change(by Grouping, key string, sides []map[string]*Value) Change {
	change := Change{Key: by.Values(key), Exact: true}
	for i, side := range sides {
		v := Value{Exact: c.Sides[i].Total.Exact}
		if of := side[key]; of != nil {
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
