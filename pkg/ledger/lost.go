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

// asLost returns what of an entry is in no row before, nor in any cell; not ok if there is
// nothing, or if the row may count no packets at all, but what was not even sent.
func (e *entry) asLost() (lost Lost, ok bool) {
	where := spot(&e.Row)
	if e.lost == 0 || e.Within != "" || where == "" {
		return Lost{}, false
	}
	return Lost{&event.Cell{
		Reason: event.Reason{Name: e.Name}, Location: &event.Frame{Symbol: where},
		Device: event.Device{Index: e.Index, Name: e.Device}, Netns: e.Netns, Unseen: true,
	}, e.lost}, true
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
