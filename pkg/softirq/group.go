// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Limits of what is kept for each CPU until a window is complete.
const (
	maxGroups  = 4   // open windows
	maxSamples = 256 // above it every second sample is dropped, then three of four, and so on
	maxPackets = 256
	maxUsers   = 16 // different user stacks
	maxCPUs    = 8192
)

// group holds the samples and packets of one window until it is complete.
type group struct {
	window      time.Duration // its Start
	samples     []event.CPUSample
	samplesSeen int
	samplesLeft int // above the limit
	stride      int // one sample in stride is kept
	packets     []event.LatePacket
	packetsLeft uint64
	users       [][]event.Frame
	taken       bool // by a window
}

// addSample keeps a copy of a sample. At the limit it drops every second sample, evenly over
// the window, and doubles the stride.
func (g *group) addSample(s *event.CPUSample) {
	g.stride = max(1, g.stride)
	g.samplesSeen++
	if (g.samplesSeen-1)%g.stride != 0 {
		g.samplesLeft++
		return
	}
	if len(g.samples) == maxSamples {
		for i := range maxSamples / 2 {
			g.samples[i] = g.samples[2*i]
		}
		clear(g.samples[maxSamples/2:])
		g.samples = g.samples[:maxSamples/2]
		g.samplesLeft += maxSamples / 2
		g.stride *= 2
	}
	c := *s
	if s.Syscall != nil {
		call := *s.Syscall
		c.Syscall = &call
	}
	c.User = g.user(s.User)
	g.samples = append(g.samples, c)
}

// user returns a copy of a user stack, and the same copy for equal stacks: samples of one
// wait mostly share one. It returns nil if there are too many different ones.
func (g *group) user(frames []event.Frame) []event.Frame {
	if len(frames) == 0 {
		return nil
	}
	for _, known := range g.users {
		if slices.EqualFunc(known, frames, func(a, b event.Frame) bool { return a == b }) {
			return known
		}
	}
	if len(g.users) == maxUsers {
		return nil
	}
	g.users = append(g.users, slices.Clone(frames))
	return g.users[len(g.users)-1]
}

// addPacket keeps a copy of a packet, up to the limit.
func (g *group) addPacket(p *event.LatePacket) {
	if len(g.packets) == maxPackets {
		g.packetsLeft++
		return
	}
	g.packets = append(g.packets, *p)
}

// merged returns a new group with the samples and packets of all groups, in the order of
// their times.
func merged(groups []*group) *group {
	if len(groups) == 0 {
		return &group{stride: 1}
	}
	all := *groups[0]
	all.samples, all.packets, all.users = slices.Clone(all.samples), slices.Clone(all.packets), slices.Clone(all.users)
	for _, g := range groups[1:] {
		for i := range g.samples {
			all.addSample(&g.samples[i])
		}
		for i := range g.packets {
			all.addPacket(&g.packets[i])
		}
		all.samplesLeft += g.samplesLeft
		all.packetsLeft += g.packetsLeft
	}
	all.sort()
	return &all
}

// sort orders samples and packets by time.
func (g *group) sort() {
	slices.SortStableFunc(g.samples, func(a, b event.CPUSample) int { return int(min(1, max(-1, a.Time-b.Time))) })
	slices.SortStableFunc(g.packets, func(a, b event.LatePacket) int { return int(min(1, max(-1, a.Time-b.Time))) })
}
