// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// What is kept for each CPU until a window is complete.
const (
	maxGroups  = 4   // windows that are open at the same time
	maxSamples = 256 // then every second one is dropped, and so on
	maxPackets = 256
	maxUsers   = 16 // different user stacks
	maxCPUs    = 8192
)

// group is the samples and packets of one window that is not complete.
type group struct {
	window      time.Duration // its Start
	samples     []event.CPUSample
	samplesSeen int
	samplesLeft int // one too many
	stride      int // one sample in so many is kept
	packets     []event.LatePacket
	packetsLeft uint64
	users       [][]event.Frame
	taken       bool // a window has had them
}

// addSample keeps a copy. When there are too many it keeps them thinner.
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

// user returns a copy of a user stack, the same for equal ones: a task that does one
// thing has one. It returns nil when there are too many.
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

// addPacket keeps a copy, if there is room.
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

// sort puts samples and packets in the order of their times.
func (g *group) sort() {
	slices.SortStableFunc(g.samples, func(a, b event.CPUSample) int { return int(min(1, max(-1, a.Time-b.Time))) })
	slices.SortStableFunc(g.packets, func(a, b event.LatePacket) int { return int(min(1, max(-1, a.Time-b.Time))) })
}
