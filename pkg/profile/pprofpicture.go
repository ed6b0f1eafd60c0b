// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"fmt"
	"slices"

	"github.com/google/pprof/profile"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// DrawPProf returns a profile of any program as a picture, by each of its values,
// the default one first. It also returns how many samples were left out because
// they have a negative value, as those of a difference of profiles.
func DrawPProf(p *profile.Profile) (picture *Picture, negative int) {
	picture = &Picture{}
	for column, t := range p.SampleType {
		unit := t.Unit
		if unit == "" || unit == "count" {
			unit = t.Type
		}
		picture.Options.Measures = append(picture.Options.Measures, flamegraph.Measure{Name: t.Type, Unit: unit, Column: column})
		if t.Type == p.DefaultSampleType {
			picture.Options.Measure = column
		}
	}
	for _, s := range p.Sample {
		if slices.Min(s.Value) < 0 {
			negative++
			continue
		}
		values := make([]uint64, len(s.Value))
		for i, v := range s.Value {
			values[i] = uint64(v)
		}
		picture.Samples = append(picture.Samples, flamegraph.Sample{Stack: functions(s), Value: values[0], More: values[1:]})
	}
	picture.Options.Explain = StackOptions{}.Explain
	return picture, negative
}

// functions returns the functions of a sample, the outermost first.
func functions(s *profile.Sample) (stack []string) {
	for _, l := range slices.Backward(s.Location) {
		for _, line := range slices.Backward(l.Line) {
			if line.Function != nil {
				stack = append(stack, line.Function.Name)
			}
		}
		if len(l.Line) == 0 {
			stack = append(stack, fmt.Sprintf("0x%x", l.Address))
		}
	}
	return stack
}
