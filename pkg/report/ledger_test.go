// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/ledger"
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

// TestLedgerBenign: what nobody misses is no counted loss, and has no row in the table.
func TestLedgerBenign(t *testing.T) {
	pod := event.Netns{Inode: 2}
	cell := &event.Cell{
		Reason: event.Reason{Name: "UNHANDLED_PROTO"}, Location: &event.Frame{Addr: 1, Symbol: "__netif_receive_skb_core"},
		Device: event.Device{Index: 2, Name: "eth0"}, Netns: pod,
	}
	c := event.Counter{Source: event.CounterLink, Name: "rx_dropped", Netns: pod, Device: "eth0", Index: 2}
	for want, rest := range map[string]uint64{
		"0 of 0 counted losses accounted for; 40 benign packets counted\n": 0,
		"COUNTED  TRACED  COUNTER ONLY  UNEXPLAINED  COUNTER          DEVICE  NETNS\n" +
			"     43      40             0    3 (7.0 %)  link rx_dropped  eth0    2\n" +
			"0 of 3 counted losses explained; 40 benign packets counted\n" +
			"rows with a percentage are not to be trusted: more than 5 % is unexplained, or traced and not counted (below 0)\n": 3,
	} {
		book := ledger.NewBook()
		for _, e := range []event.Event{
			&event.Tick{}, &event.Counters{Readings: []event.Reading{{Counter: c, Value: 7}}},
			&event.Tick{Counts: []event.Count{{Cell: cell, Drops: 40}}},
			&event.Counters{Readings: []event.Reading{{Counter: c, Value: 47 + rest}}}, &event.Tick{},
		} {
			book.Add(e)
		}
		var b bytes.Buffer
		if err := ledgerText(&b, book.Ledger(), false, 0, ""); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("%d lost (-want +got):\n%s", rest, diff)
		}
	}
}

// TestManyRows shows the largest rows of a node with many namespaces, and counts the others.
func TestManyRows(t *testing.T) {
	var l ledger.Ledger
	for i := range 500 {
		l.Rows = append(l.Rows, ledger.Row{
			Counter: event.Counter{Source: event.CounterProtocol, Name: "UdpNoPorts", Netns: event.Netns{Inode: uint32(1000 + i)}},
			Delta:   uint64(i % 100), Traced: uint64(i % 100),
		})
	}
	for limit, want := range map[int]int{20: maxRows, 100: 100, 0: 500, 1000: 500} {
		var b bytes.Buffer
		if err := ledgerText(&b, &l, false, limit, "dropwatch report -n 0"); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(b.Bytes(), []byte("UdpNoPorts")); n != want {
			t.Errorf("%d rows of a limit of %d, want %d", n, limit, want)
		}
		more := fmt.Appendf(nil, "and %d more counters; dropwatch report -n 0 shows all\n", 500-want)
		if bytes.Contains(b.Bytes(), more) != (want < 500) {
			t.Errorf("limit %d: %s", limit, b.Bytes()[b.Len()-100:])
		}
		if limit == 100 && bytes.Contains(b.Bytes(), []byte("\n     79 ")) {
			t.Error("a row is shown that moved less than a hundred others")
		}
	}
}
