// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// pods has namespaces come and go, each with a closed port and a device in the host's
// namespace that drops. The host has a closed port too.
func pods(b *Book, all int) (drops uint64) {
	const atATime, each = 100, 3
	type pod struct {
		counters []event.Counter
		cells    []*event.Cell
	}
	var live []pod
	hostPort, value := counter(event.CounterProtocol, "UdpNoPorts", "", host, ""), uint64(0)
	b.Add(&event.Counters{Readings: []event.Reading{{Counter: hostPort}}})
	id := 0
	next := func(c *event.Cell, device int) *event.Cell {
		c.ID, c.Device.Index = id%(6*atATime), device
		id++
		return c
	}
	tick, read := &event.Tick{}, &event.Counters{}
	for i := range all {
		netns, device := event.Netns{Inode: uint32(i + 10)}, fmt.Sprintf("veth%d", i)
		link := counter(event.CounterLink, "rx_dropped", device, host, "")
		link.Index = i + 2
		p := pod{
			counters: []event.Counter{counter(event.CounterProtocol, "UdpNoPorts", "", netns, ""), link},
			cells: []*event.Cell{
				next(cell("NO_SOCKET", "lo", netns, udp), 1), next(cell("CPU_BACKLOG", device, host, udp), i+2),
				next(cell("NO_SOCKET", "lo", host, udp), 1),
			},
		}
		live = append(live, p)
		for _, c := range p.cells {
			tick.Counts = append(tick.Counts, event.Count{Cell: c, Drops: each})
		}
		for _, c := range p.counters {
			read.Readings = append(read.Readings, event.Reading{Counter: c, Value: each})
		}
		value += each
		read.Links = append(read.Links, event.Link{Name: device, Index: i + 2, Netns: host})
		drops += 3 * each
		if len(live) < 2*atATime {
			continue
		}
		for _, p := range live[:atATime] {
			read.Gone, tick.Gone = append(read.Gone, p.counters...), append(tick.Gone, p.cells...)
		}
		live = live[atATime:]
		read.Readings = append(read.Readings, event.Reading{Counter: hostPort, Value: value})
		b.Add(tick)
		b.Add(read)
		tick, read = &event.Tick{}, &event.Counters{}
	}
	read.Readings = append(read.Readings, event.Reading{Counter: hostPort, Value: value})
	b.Add(tick)
	b.Add(read)
	b.Add(&event.Tick{})
	return drops
}

// TestGone: of 20,000 namespaces, their devices and cells, the Book keeps a bounded number,
// and every counter is still explained.
func TestGone(t *testing.T) {
	b := NewBook()
	drops := pods(b, 20_000)
	if len(b.cells) > 2*maxGone || len(b.alike) > 2*maxGone || len(b.links) > maxGone+200 || len(b.linkOrder) > maxGone {
		t.Errorf("%d cells, %d kinds, %d devices are kept", len(b.cells), len(b.alike), len(b.links))
	}
	l := b.Ledger()
	if l.Counted != drops || l.Explained != drops || l.Uncounted != 0 || l.Unread != 0 {
		t.Errorf("%d of %d explained, %d uncounted, %d unread; %d were dropped", l.Explained, l.Counted, l.Uncounted, l.Unread, drops)
	}
	off := 0
	for i := range l.Rows {
		if r := &l.Rows[i]; r.Unexplained != 0 {
			if off++; off < 4 {
				t.Errorf("%s: moved by %d, traced %d", r, r.Delta, r.Traced)
			}
		}
	}
	if off > 0 {
		t.Errorf("%d of %d rows are not explained", off, len(l.Rows))
	}
}
