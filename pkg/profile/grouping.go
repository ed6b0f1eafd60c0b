// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Grouping is dimensions to group by together.
type Grouping []Dimension

// separator keeps the values of a key apart; names cannot contain it (event.Text).
const separator = "\x00"

// ByCell reports whether groups are exact: every dimension is known of every drop.
func (g Grouping) ByCell() bool {
	for _, m := range g {
		if !m.ByCell {
			return false
		}
	}
	return true
}

// Names returns the names of the dimensions.
func (g Grouping) Names() []string {
	names := make([]string, len(g))
	for i, m := range g {
		names[i] = m.Name
	}
	return names
}

// Key returns the group of a drop. d is nil for drops without a sample.
func (g Grouping) Key(c *event.Cell, d *event.Drop) string {
	values := make([]string, len(g))
	for i, m := range g {
		values[i] = m.Value(c, d)
	}
	return strings.Join(values, separator)
}

// Values returns what a key was made of, a value per dimension.
func (g Grouping) Values(key string) []string { return strings.Split(key, separator) }

// acrossKernels returns the grouping with what compares between kernels.
func (g Grouping) acrossKernels() Grouping {
	across := make(Grouping, len(g))
	for i, m := range g {
		across[i] = m.acrossKernels()
	}
	return across
}
