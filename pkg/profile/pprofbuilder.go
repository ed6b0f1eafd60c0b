// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// builder numbers everything from 1 in the order of use, as some stores demand.
type builder struct {
	meta      *event.Meta
	options   PProfOptions
	profile   profile.Profile
	functions map[[2]string]*profile.Function
	locations map[locationKey]*profile.Location
	mappings  map[string]*profile.Mapping
	stacks    map[spelled][]*profile.Location
	units     map[string][]string // of numbers among the tags of every sample
}

// spelled is what the locations of a sample with a stack follow from. Samples that differ
// in nothing but their tags share them.
type spelled struct {
	stack        *event.Stack
	process      bool
	root, reason string
}

type locationKey struct {
	addr   event.Address
	symbol string
}

func (b *builder) begin(duration int64) {
	drops := &profile.ValueType{Type: "drops", Unit: "count"}
	b.profile.SampleType = []*profile.ValueType{drops, {Type: "bytes", Unit: "bytes"}, {Type: "segments", Unit: "count"}}
	b.profile.DefaultSampleType = "drops"
	b.profile.PeriodType, b.profile.Period = drops, 1
	b.units = map[string][]string{"pid": {"id"}, "cpu": {"id"}}
	b.profile.TimeNanos, b.profile.DurationNanos = b.meta.Start.UnixNano(), duration
	// pprof takes the first mapping for the program itself.
	b.mapping("vmlinux", b.meta.Text.Start)
}

func (b *builder) comment(format string, args ...any) {
	b.profile.Comments = append(b.profile.Comments, fmt.Sprintf(format, args...))
}

func (b *builder) sample(key stackKey, v *Value) {
	s := &profile.Sample{Value: []int64{int64(v.Drops), int64(v.Bytes), int64(v.Segments)}, Location: b.sampleLocations(key)}
	reason := dropreason.Of(key.cell)
	s.Label = map[string][]string{
		"reason": {strings.TrimSuffix(reasonFrame(key.cell), reasonMark(key.cell))}, "layer": {string(reason.Layer)}, "class": {string(reason.Class)},
		"device": {key.cell.Device.String()}, "netns": {key.cell.Netns.String()}, "proto": {key.cell.Proto()},
	}
	if key.tagged {
		s.Label["comm"] = []string{key.comm}
		s.NumLabel = map[string][]int64{"pid": {int64(key.tgid)}, "cpu": {int64(key.cpu)}}
		s.NumUnit = b.units
	}
	b.profile.Sample = append(b.profile.Sample, s)
}

// sampleLocations returns a sample's locations, innermost first.
func (b *builder) sampleLocations(key stackKey) (all []*profile.Location) {
	same := spelled{key.stack, key.process, key.root, reasonFrame(key.cell)}
	if key.stack != nil && b.stacks[same] != nil {
		return b.stacks[same]
	}
	if !b.options.NoReason {
		all = append(all, b.pseudo(same.reason))
	}
	switch {
	case key.cell.Unseen:
		all = append(all, b.pseudo(key.cell.Location.Name()))
	case key.root == "":
		if key.cell.Location.Addr != 0 {
			all = append(all, b.location(key.cell.Location))
		}
		all = append(all, b.pseudo(Unsampled))
	case key.stack == nil:
		if key.cell.Location.Addr != 0 {
			all = append(all, b.location(key.cell.Location))
		}
		all = append(all, b.pseudo(NoStack), b.pseudo(key.root))
	default:
		frames, cut := trimmed(key.stack, key.process)
		for _, f := range frames {
			all = append(all, b.location(f))
		}
		if cut {
			all = append(all, b.pseudo(CutOff))
		}
		all = append(all, b.pseudo(key.root))
		if b.stacks == nil {
			b.stacks = map[spelled][]*profile.Location{}
		}
		b.stacks[same] = all
	}
	return all
}

// pseudo returns a location that is no code.
func (b *builder) pseudo(name string) *profile.Location {
	return b.at(locationKey{symbol: name}, nil, b.function(name, ""))
}

func (b *builder) location(f *event.Frame) *profile.Location {
	module := cmp.Or(f.Module, "unknown")
	return b.at(locationKey{f.Addr, f.Name()}, b.mapping(module, f.Addr), b.function(f.Name(), module))
}

func (b *builder) at(key locationKey, m *profile.Mapping, f *profile.Function) *profile.Location {
	if l := b.locations[key]; l != nil {
		return l
	}
	l := &profile.Location{
		ID: uint64(len(b.profile.Location) + 1), Address: uint64(key.addr), Mapping: m,
		Line: []profile.Line{{Function: f}},
	}
	b.locations[key] = l
	b.profile.Location = append(b.profile.Location, l)
	return l
}

func (b *builder) function(name, file string) *profile.Function {
	key := [2]string{name, file}
	if f := b.functions[key]; f != nil {
		return f
	}
	f := &profile.Function{ID: uint64(len(b.profile.Function) + 1), Name: name, SystemName: name, Filename: file}
	b.functions[key] = f
	b.profile.Function = append(b.profile.Function, f)
	return f
}

// mapping returns the mapping of a module, made to reach as far as addr. Only the
// kernel image's true extent is known.
func (b *builder) mapping(module string, addr event.Address) *profile.Mapping {
	m := b.mappings[module]
	if m == nil {
		m = &profile.Mapping{
			ID: uint64(len(b.profile.Mapping) + 1), File: "[" + module + "]", HasFunctions: true,
			Start: uint64(addr), Limit: uint64(addr) + 1,
		}
		if module == "vmlinux" {
			m.File, m.BuildID = "[kernel.kallsyms]", b.meta.BuildID
			m.Start, m.Limit = uint64(b.meta.Text.Start), uint64(b.meta.Text.End)
		}
		b.mappings[module] = m
		b.profile.Mapping = append(b.profile.Mapping, m)
	}
	m.Start, m.Limit = min(m.Start, uint64(addr)), max(m.Limit, uint64(addr)+1)
	return m
}

// finish adds what concerns the profile as a whole.
func (b *builder) finish() {
	if b.options.RelativeAddresses {
		b.rebase()
	}
	b.comment("dropwatch %s, Linux %s %s on %s", b.meta.Version, b.meta.Kernel, b.meta.Arch, b.meta.Host)
	b.comment("command: %s", strings.Join(b.meta.Command, " "))
}

// rebase has every mapping begin at 0.
func (b *builder) rebase() {
	for _, l := range b.profile.Location {
		if l.Mapping != nil {
			l.Address -= l.Mapping.Start
		}
	}
	for _, m := range b.profile.Mapping {
		m.Start, m.Limit = 0, m.Limit-m.Start
	}
}
