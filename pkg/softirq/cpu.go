// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

// cpu returns the state of a CPU, nil if the number is negative or there are too many.
func (t *Tracker) cpu(number int) *cpu {
	c := t.cpus[number]
	if c == nil && number >= 0 && len(t.cpus) < maxCPUs {
		c = &cpu{alive: -horizon}
		t.cpus[number] = c
	}
	return c
}

// group returns the group of a window, nil if the CPU number is invalid. It drops the
// oldest group if there are too many: its window never came.
func (t *Tracker) group(number int, window time.Duration) *group {
	c := t.cpu(number)
	if c == nil {
		return nil
	}
	for _, g := range c.groups {
		if g.window == window {
			return g
		}
	}
	if len(c.groups) == maxGroups {
		if !c.groups[0].taken {
			t.stats.Orphans += uint64(len(c.groups[0].samples) + len(c.groups[0].packets))
		}
		c.groups = slices.Delete(c.groups, 0, 1)
	}
	c.groups = append(c.groups, &group{window: window, stride: 1})
	return c.groups[len(c.groups)-1]
}

// take returns the samples and packets of a window. Samples are sent before interrupts are
// known to have been disabled before the raise, so they may name the raise as their window.
// The CPU keeps the samples, as other work that waited at the same time has the same Start.
func (c *cpu) take(w *event.Window) *group {
	var taken, kept []*group
	for _, g := range c.groups {
		isWindow := g.window == w.Start || g.window == w.Raised && w.Raised != 0
		if isWindow {
			taken = append(taken, g)
		}
		if isWindow || !g.taken {
			kept = append(kept, g)
		}
	}
	all := merged(taken)
	for _, g := range taken {
		g.packets, g.packetsLeft, g.samplesLeft, g.taken = nil, 0, 0, true
	}
	c.groups = kept
	return all
}

// clipToPrevious returns the part of a wait that the previous stall does not cover, and
// whether it is a stall of its own. A wait is seen twice as a raise and as the wake-up of
// ksoftirqd, or as a wait behind slow packets and for NET_RX. Windows of packets overlap
// while NET_RX stays busy; each stall then begins where the previous one ended.
func (c *cpu) clipToPrevious(e *evidence, w wait, threshold time.Duration) (wait, bool) {
	last, waiter := c.last, e.window.Waiter
	switch {
	case last == nil, e.hasLongest():
		return w, true
	case last.waiter == event.WaiterPackets && w.slowPackets:
		w.start = min(max(w.start, last.end), w.end)
		return w, w.end-w.start >= threshold
	case last.waiter == waiter,
		last.waiter == event.WaiterThread && !last.isKsoftirqd,
		waiter == event.WaiterThread && !kernel.IsKsoftirqd(e.waiter().Comm, true):
		return w, true
	}
	shared := min(last.end, w.end) - max(last.start, w.start)
	return w, 2*shared <= w.end-w.start
}
