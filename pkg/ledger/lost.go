// SPDX-License-Identifier: Apache-2.0

package ledger

import "github.com/dropwatch/dropwatch/pkg/event"

// Lost is packets of which no skb was freed as dropped, for groups and pictures: a cell
// that no drop ever has, and how many there are.
type Lost struct {
	Cell    *event.Cell
	Packets uint64
}

// Lost returns the packets that only counters tell of.
func (l *Ledger) Lost() (all []Lost) {
	if l == nil {
		return nil
	}
	for i := range l.Rows {
		if row := &l.Rows[i]; row.Unseen > 0 && row.Within == "" && place(row) != "" {
			all = append(all, Lost{row.cell(), row.Unseen})
		}
	}
	return all
}

func (r *Row) cell() *event.Cell {
	return &event.Cell{
		Reason: event.Reason{Name: r.Name}, Location: &event.Frame{Symbol: place(r)},
		Device: event.Device{Name: r.Device}, Netns: r.Netns, Unseen: true,
	}
}

// place says where the packets of a row were lost; empty if the row may tell of no
// packets at all, but of what was not even sent.
func place(r *Row) string {
	switch {
	case r.Source == event.CounterLink || r.Source == event.CounterDriver:
		return "[nic] " + r.Device
	case r.Name == "TcpExtListenDrops":
		return "[listener]"
	}
	return ""
}
