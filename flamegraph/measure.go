// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"fmt"
	"math"
	"strconv"
)

// Measure is one way to weigh stacks. A file can hold several and its reader
// switch between them.
type Measure struct {
	// Name is what the switch calls it.
	Name string
	// Unit is what values count, in the plural: packets, bytes.
	Unit string
	// Column says which of a sample's values widths stand for: 0 for
	// Sample.Value, above that Sample.More.
	Column int
	// Scale is how many units a value of 1 is; 0 means 1. Values stay whole
	// numbers, so that sums are exact: a rate of 0.25 a second can be 250,000
	// with a scale of 1e-6.
	Scale float64
	// Change, if set, colors frames by how they changed.
	Change *Change
}

func (m Measure) check(columns int) error {
	if m.Column < 0 || m.Column >= columns {
		return fmt.Errorf("measure %q: samples have no column %d", m.Name, m.Column)
	}
	if !(m.Scale >= 0) || math.IsInf(m.Scale, 1) {
		return fmt.Errorf("measure %q: no scale %v", m.Name, m.Scale)
	}
	if m.Change == nil {
		return nil
	}
	return m.Change.check(columns)
}

func (m Measure) scale() float64 {
	if m.Scale == 0 {
		return 1
	}
	return m.Scale
}

// amount returns a value with its unit.
func (m Measure) amount(value uint64) string {
	text := formatValue(value, m.scale())
	if m.Unit != "" {
		text += " " + visible(m.Unit)
	}
	return text
}

// formatValue returns a value in units of 1/scale, with three digits at least.
func formatValue(value uint64, scale float64) string {
	if scale == 1 {
		return formatCount(value)
	}
	v := float64(value) * scale
	if v >= 100 || v == 0 {
		if v < math.MaxUint64 {
			return formatCount(uint64(math.Round(v)))
		}
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	decimals := 2 - int(math.Floor(math.Log10(v)))
	return formatFixed(v, min(decimals, 9))
}
