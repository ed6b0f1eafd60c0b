// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"github.com/dropwatch/dropwatch/flamegraph"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/spell"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// WriteFoldedStalls writes a line per stack, sorted: frames from the root, separated
// by semicolons, a space and the delay in nanoseconds.
func WriteFoldedStalls(w io.Writer, stacks *StallStacks) error {
	var lines []string
	for key, v := range stacks.Of {
		lines = append(lines, fmt.Sprintf("%s %d\n", foldable.Replace(key), v.Delay.Nanoseconds()))
	}
	slices.Sort(lines)
	out := bufio.NewWriter(w)
	for _, line := range lines {
		out.WriteString(line)
	}
	return out.Flush()
}

// DrawStalls returns the stalls of recordings as one picture: by delay, number and
// late packets. Errors are those of Draw.
func DrawStalls(recordings []Recording, o StackOptions) (*Picture, error) {
	var p Picture
	var words []string
	var readErrs []error
	for _, r := range recordings {
		stacks, err := FoldStalls(r.Source, o)
		if err != nil {
			readErrs = append(readErrs, fmt.Errorf("read %s: %w", r.Name, err))
		}
		for key, v := range stacks.Of {
			p.Samples = append(p.Samples, flamegraph.Sample{
				Stack: Frames(key), Value: uint64(v.Delay), More: []uint64{v.Stalls, v.Packets},
			})
		}
		p.take(r, stacks.Cut, nil)
		meta := r.Source.Meta()
		words = append(words, fmt.Sprintf("%s on %s, %s, Linux %s. %s, %s late.",
			meta.Start.Format(time.DateTime), meta.Host, stacks.Duration.Round(time.Millisecond), meta.Kernel,
			spell.Plural(stacks.Total.Stalls, "stall"), spell.Plural(stacks.Total.Packets, "packet")))
		if stacks.Loss == nil && stacks.Cut == nil {
			words = append(words, "Stalls were not watched for.")
		}
	}
	p.Options.Title = "What kept packets waiting on " + hosts(recordings)
	p.Options.Subtitle = strings.Join(words, " ")
	p.Options.Measures = []flamegraph.Measure{
		{Name: "delay", Unit: "ms", Scale: 1e-6},
		{Name: "stalls", Unit: "stalls", Column: 1},
		{Name: "packets", Unit: "packets", Column: 2},
	}
	return &p, errors.Join(readErrs...)
}

// stallKey is what a sample of a profile of stalls stands for.
type stallKey struct {
	frames  string
	verdict stall.Verdict
	comm    string
	syscall string
	cpu     int
	pid     uint32
}

// PProfStalls returns the stalls of a source as a profile for go tool pprof: number
// and delay by stack, with what is known of the culprit as labels.
//
// With an error comes the profile of what was read before it, or nil.
func PProfStalls(src event.Source, o PProfOptions) (*profile.Profile, *event.CutError, error) {
	b := builder{
		meta: src.Meta(), options: o, functions: map[[2]string]*profile.Function{},
		locations: map[locationKey]*profile.Location{}, mappings: map[string]*profile.Mapping{},
	}
	var order []stallKey
	values, first := map[stallKey]*StallValue{}, map[stallKey]*stall.Stall{}
	var ended time.Duration
	readErr := EachStall(src, func(s *stall.Stall) error {
		key := stallKey{frames: strings.Join(stallFrames(s, StackOptions{}), separator), verdict: s.Verdict, cpu: s.CPU}
		if c := s.Culprit; c != nil {
			key.comm, key.pid = c.Comm, c.PID
			if c.Syscall != nil {
				key.syscall = c.Syscall.String()
			}
		}
		if values[key] == nil {
			values[key], first[key] = &StallValue{}, s
			order = append(order, key)
		}
		values[key].add(s)
		return nil
	}, func(e *event.End) { ended = e.Time })
	cut, isCut := event.AsCut(readErr)
	if isCut {
		ended, readErr = cut.At, nil
	}
	b.beginStalls(ended.Nanoseconds())
	for _, key := range order {
		b.stall(key, first[key], values[key])
	}
	b.finish()
	if err := b.profile.CheckValid(); err != nil {
		return nil, nil, err
	}
	return &b.profile, cut, readErr
}

func (b *builder) beginStalls(duration int64) {
	b.begin(duration)
	stalls := &profile.ValueType{Type: "stalls", Unit: "count"}
	b.profile.SampleType = []*profile.ValueType{stalls, {Type: "delay", Unit: "nanoseconds"}}
	b.profile.DefaultSampleType = "delay"
	b.profile.PeriodType = stalls
}

func (b *builder) stall(key stallKey, first *stall.Stall, v *StallValue) {
	s := &profile.Sample{Value: []int64{int64(v.Stalls), v.Delay.Nanoseconds()}}
	if !b.options.NoReason {
		s.Location = append(s.Location, b.pseudo(string(key.verdict)))
	}
	for _, f := range stallFunctions(first) {
		s.Location = append(s.Location, b.location(f))
	}
	s.Location = append(s.Location, b.pseudo(stallRoot(first)))
	s.Label = map[string][]string{"verdict": {string(key.verdict)}}
	for name, value := range map[string]string{"comm": key.comm, "syscall": key.syscall} {
		if value != "" {
			s.Label[name] = []string{value}
		}
	}
	s.NumLabel = map[string][]int64{"cpu": {int64(key.cpu)}}
	s.NumUnit = map[string][]string{"cpu": {"id"}}
	if key.pid != 0 {
		s.NumLabel["pid"], s.NumUnit["pid"] = []int64{int64(key.pid)}, []string{"id"}
	}
	b.profile.Sample = append(b.profile.Sample, s)
}
