// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

// counters puts counters around a source's drops: of the NIC's ring, of a backlog, and of
// a socket's buffer whose drops nobody traced.
func counters() *source {
	host := event.Netns{Inode: 1, Name: "host"}
	at := func(times uint64) *event.Counters {
		return &event.Counters{Readings: []event.Reading{
			{Counter: event.Counter{Source: event.CounterLink, Name: "rx_missed_errors", Netns: host, Device: "eth0"}, Value: 3 + 5_321_081*times},
			{Counter: event.Counter{Source: event.CounterSoftnet, Name: "dropped", Part: "cpu 0"}, Value: times},
			{Counter: event.Counter{Source: event.CounterProtocol, Name: "UdpInErrors", Netns: host}, Value: 40 * times},
			{Counter: event.Counter{Source: event.CounterProtocol, Name: "UdpRcvbufErrors", Netns: host}, Value: 40 * times},
		}}
	}
	s := sample()
	last := len(s.events) - 1
	events := append([]event.Event{at(0)}, s.events[:last]...)
	s.events = append(events, at(1), s.events[last])
	return s
}

func TestLedger(t *testing.T) {
	by, err := profile.ParseDimensions(DefaultBy)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Read(counters(), Options{By: by})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteText(&b, r, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "ledger.txt", b.Bytes())
	b.Reset()
	if err := WriteJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	golden(t, "ledger.json", b.Bytes())
}
