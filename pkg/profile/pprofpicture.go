// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// errNoValues says that a profile counts nothing.
var errNoValues = errors.New("a profile without sample types, so that it counts nothing")

// DrawPProf returns profiles of any program as one picture, by each of the values that
// all of them have, that which go tool pprof shows first being the first on view. Frames
// have the names and are left out as there. isBase tells the samples of what the others
// are compared with.
//
// Profiles with negative values are differences and drawn as such: what became less, and
// what more, or if samples of the base are among them, what changed. DrawPProf changes
// the profiles. It fails if there is no such value, or not in one unit.
func DrawPProf(profiles []*profile.Profile, isBase func(*profile.Sample) bool) (*Picture, error) {
	if err := profile.CompatibilizeSampleTypes(profiles); err != nil {
		if len(profiles) == 1 {
			return nil, errNoValues
		}
		return nil, fmt.Errorf("%w: draw one at a time", err)
	}
	first := profiles[0]
	compared, based := false, false
	for _, p := range profiles {
		for i, t := range p.SampleType {
			if unit := first.SampleType[i].Unit; t.Unit != unit {
				return nil, fmt.Errorf("%s is in %s, and in %s before: draw one at a time", t.Type, t.Unit, unit)
			}
		}
		name(p)
		if err := dropFrames(p); err != nil {
			return nil, err
		}
		first.DefaultSampleType = cmp.Or(first.DefaultSampleType, p.DefaultSampleType)
		for _, s := range p.Sample {
			compared = compared || len(s.Value) > 0 && slices.Min(s.Value) < 0
			based = based || isBase(s)
		}
	}
	shown, err := first.SampleIndexByName("") // the last unless the profile says which
	if err != nil {
		return nil, err
	}
	picture := &Picture{}
	picture.Options.Explain = StackOptions{}.Explain
	switch {
	case compared && based:
		picture.comparePProf(profiles)
	case compared:
		picture.differPProf(profiles)
	default:
		picture.addPProf(profiles)
	}
	picture.Options.Measure = shown * len(picture.Options.Measures) / len(first.SampleType)
	return picture, nil
}

// unit returns what values of a type count.
func unit(t *profile.ValueType) string {
	if t.Unit == "" || t.Unit == "count" {
		return t.Type
	}
	return t.Unit
}

// addPProf draws profiles by their values.
func (p *Picture) addPProf(profiles []*profile.Profile) {
	for column, t := range profiles[0].SampleType {
		p.Options.Measures = append(p.Options.Measures, flamegraph.Measure{Name: t.Type, Unit: unit(t), Column: column})
	}
	for _, of := range profiles {
		for _, s := range of.Sample {
			values := make([]uint64, len(s.Value))
			for i, v := range s.Value {
				values[i] = uint64(v)
			}
			p.Samples = append(p.Samples, flamegraph.Sample{Stack: functions(s), Value: values[0], More: values[1:]})
		}
	}
}

// differPProf draws differences whose values are what became less and what more: widths
// are how much that is, as in the total of go tool pprof.
func (p *Picture) differPProf(profiles []*profile.Profile) {
	p.Options.Subtitle = "Widths are how much each stack changed; colors tell whether it is less or more."
	p.changeMeasures(profiles[0].SampleType, "less", "more")
	for _, of := range profiles {
		for _, s := range of.Sample {
			var values []uint64
			for _, v := range s.Value {
				less, more := sides(v)
				values = append(values, less+more, less, more)
			}
			p.Samples = append(p.Samples, flamegraph.Sample{Stack: functions(s), Value: values[0], More: values[1:]})
		}
	}
}

// comparePProf draws what became of the base, whose values are negative.
func (p *Picture) comparePProf(profiles []*profile.Profile) {
	p.Options.Subtitle = "Widths are the larger of each stack's values before and after; colors tell how they changed."
	p.changeMeasures(profiles[0].SampleType, "before", "after")
	sums := map[string]flamegraph.Sample{}
	var order []string
	for _, of := range profiles {
		for _, s := range of.Sample {
			stack := functions(s)
			key := strings.Join(stack, separator)
			sum, known := sums[key]
			if !known {
				order = append(order, key)
				sum = flamegraph.Sample{Stack: stack, More: make([]uint64, 3*len(s.Value)-1)}
			}
			values := append([]uint64{sum.Value}, sum.More...)
			for i, v := range s.Value {
				before, after := sides(v)
				values[3*i+1] += before
				values[3*i+2] += after
				values[3*i] = max(values[3*i+1], values[3*i+2])
			}
			sum.Value, sum.More = values[0], values[1:]
			sums[key] = sum
		}
	}
	for _, key := range order {
		p.Samples = append(p.Samples, sums[key])
	}
}

// sides returns how far a value is below 0 and above it.
func sides(v int64) (below, above uint64) {
	if v < 0 {
		return -uint64(v), 0
	}
	return 0, uint64(v)
}

// changeMeasures adds the ways to look at three columns for each type: the width, and two
// sides.
func (p *Picture) changeMeasures(types []*profile.ValueType, from, to string) {
	for i, t := range types {
		change := &flamegraph.Change{From: 3*i + 1, To: 3*i + 2, FromName: from, ToName: to, Least: leastFolded}
		for side, name := range []string{t.Type, t.Type + " " + from, t.Type + " " + to} {
			p.Options.Measures = append(p.Options.Measures, flamegraph.Measure{Name: name, Unit: unit(t), Column: 3*i + side, Change: change})
		}
	}
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
