// SPDX-License-Identifier: Apache-2.0

package ledger

import "github.com/dropwatch/dropwatch/pkg/event"

// Lost is packets of which no skb was freed as dropped, for groups and pictures: a cell
// that no drop ever has, and how many there are.
type Lost struct {
	Cell    *event.Cell
	Packets uint64
}

// Lost returns the packets that only counters know of, each once.
func (l *Ledger) Lost() []Lost {
	if l == nil {
		return nil
	}
	return l.lost
}

// asLost returns packets of a row that are in no row before, nor in any cell; not ok if there
// are none, or if the row may count no packets at all, but what was not even sent.
func (r *Row) asLost(packets uint64) (lost Lost, ok bool) {
	where := spot(r)
	if packets == 0 || r.Within != "" || where == "" {
		return Lost{}, false
	}
	return Lost{&event.Cell{
		Reason: event.Reason{Name: r.Name}, Location: &event.Frame{Symbol: where},
		Device: event.Device{Index: r.Index, Name: r.Device}, Netns: r.Netns, Unseen: true,
	}, packets}, true
}

// spot says where the packets of a row were lost, empty for rows without a place.
func spot(r *Row) string {
	switch {
	case r.Source == event.CounterLink || r.Source == event.CounterDriver:
		return "[nic] " + r.Device
	case r.Name == "TcpExtListenDrops":
		return "[listener]"
	}
	return ""
}
