// SPDX-License-Identifier: Apache-2.0

package flamegraph

import "fmt"

// Change compares two columns of the samples' values. Every frame is colored
// by its own inclusive change, so that a parent whose children doubled is seen
// to have doubled.
type Change struct {
	// From and To are the columns compared. The measure's Unit and Scale are
	// theirs too.
	From, To int
	// FromName and ToName are what the two are called: before, after.
	FromName, ToName string
	// Least is the change, as a share of the larger value, up to which a frame
	// counts as the same.
	Least float64
}

func (c *Change) check(columns int) error {
	for _, column := range []int{c.From, c.To} {
		if column < 0 || column >= columns {
			return fmt.Errorf("change: samples have no column %d", column)
		}
	}
	if !(c.Least >= 0 && c.Least <= 1) {
		return fmt.Errorf("least change %v is not within 0 and 1", c.Least)
	}
	return nil
}

// changeKinds are the classes of change, in the legend's order.
var changeKinds = []kind{
	{"new", "d6"}, {"more than twice", "d5"}, {"more", "d4"}, {"same", "d3"},
	{"less", "d2"}, {"less than half", "d1"}, {"gone", "d0"},
}

// kind returns the index of a change in changeKinds.
func (c *Change) kind(from, to uint64) uint32 {
	switch {
	case from == to:
		return 3
	case from == 0:
		return 0
	case to == 0:
		return 6
	}
	switch change := relativeChange(from, to); {
	case change > 0.5:
		return 1
	case change > c.Least:
		return 2
	case change < -0.5:
		return 5
	case change < -c.Least:
		return 4
	}
	return 3
}

// relativeChange is relative to the larger value: from -1 to 1.
func relativeChange(from, to uint64) float64 {
	return (float64(to) - float64(from)) / float64(max(from, to))
}

// words returns a change as text: "before 12, after 3.4 packets/s, -71.7%".
func (c *Change) words(m Measure, from, to uint64) string {
	text := fmt.Sprintf("%s %s, %s %s", visible(c.FromName), formatValue(from, m.scale()), visible(c.ToName), m.amount(to))
	if from == 0 || to == 0 || from == to {
		return text
	}
	return text + ", " + formatChange((float64(to)-float64(from))/float64(from))
}

// formatChange returns a change relative to what was before.
func formatChange(change float64) string {
	switch percent := change * 100; {
	case percent >= 1000:
		return "×" + formatFixed(change+1, 0)
	case percent > 0:
		return "+" + formatFixed(percent, 1) + "%"
	case percent < -99.9:
		return "<-99.9%"
	default:
		return formatFixed(percent, 1) + "%"
	}
}
