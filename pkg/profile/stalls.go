// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"slices"
	"strings"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/softirq"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// StallValue is what stalls add up to.
type StallValue struct {
	Delay   time.Duration // for how long packets waited
	Stalls  uint64
	Packets uint64 // that were late
}

func (v *StallValue) add(s *stall.Stall) {
	v.Delay += s.Duration()
	v.Stalls++
	v.Packets += s.LateCount
}

// StallStacks holds the stalls of a source by stack.
type StallStacks struct {
	Of       map[string]*StallValue // by frames, root first (see Frames)
	Total    StallValue
	Loss     *event.StallLoss // nil if stalls were not watched for
	Duration time.Duration
	Cut      *event.CutError // nil unless the recording was cut short
}

// FoldStalls returns the stalls of a source by what held the CPU: its task, interrupt
// or softirq as the root, the kernel's functions, the verdict. A recording that was
// cut short is no error; with any other error comes what was read before it.
func FoldStalls(src event.Source, o StackOptions) (*StallStacks, error) {
	f := &StallStacks{Of: map[string]*StallValue{}}
	err := EachStall(src, func(s *stall.Stall) error {
		key := strings.Join(stallFrames(s, o), separator)
		if f.Of[key] == nil {
			f.Of[key] = &StallValue{}
		}
		f.Of[key].add(s)
		f.Total.add(s)
		return nil
	}, func(end *event.End) { f.Loss, f.Duration = end.Stalls, end.Time })
	if cut, ok := event.AsCut(err); ok {
		f.Cut, f.Duration, err = cut, cut.At, nil
	}
	return f, err
}

// EachStall calls do for every stall of a source, until either returns an error, and
// ended at its end.
func EachStall(src event.Source, do func(*stall.Stall) error, ended func(*event.End)) error {
	tracker := softirq.New(softirq.ConfigOf(src.Meta()))
	return Each(src, func(e event.Event) error {
		if end, ok := e.(*event.End); ok {
			ended(end)
		}
		if found := tracker.Add(e); found != nil {
			return do(found)
		}
		return nil
	})
}

func stallFrames(s *stall.Stall, o StackOptions) []string {
	frames := []string{stallRoot(s)}
	for _, f := range slices.Backward(stallFunctions(s)) {
		frames = append(frames, f.Name())
	}
	if !o.NoReason {
		frames = append(frames, string(s.Verdict))
	}
	return frames
}

// stallRoot names what held the CPU.
func stallRoot(s *stall.Stall) string {
	c := s.Culprit
	switch {
	case s.Verdict == stall.Steal:
		return "[hypervisor]"
	case s.Verdict == stall.IdleExit:
		return "[idle]"
	case c == nil:
		return "[unknown]"
	case c.Softirq != "":
		return "[softirq " + c.Softirq + "]"
	case c.Comm != "":
		return "[process: " + c.Comm + "]"
	case c.Handler != "":
		return "[interrupt: " + c.Handler + "]"
	case c.Function != nil:
		return "[interrupt]"
	}
	return "[NET_RX]"
}

// stallFunctions returns the functions that held the CPU, innermost first: those of
// the samples, or at least the handler or timer that is blamed.
func stallFunctions(s *stall.Stall) []*event.Frame {
	if s.Stack != nil {
		frames := s.Stack.Frames
		for len(frames) > 1 && kernel.IsEntry(frames[len(frames)-1].Symbol) {
			frames = frames[:len(frames)-1]
		}
		return frames
	}
	if c := s.Culprit; c != nil && c.Function != nil {
		return []*event.Frame{c.Function}
	}
	return nil
}
