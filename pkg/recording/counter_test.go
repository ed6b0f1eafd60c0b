// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// counterEvents holds counters with every kind of member.
func counterEvents() []event.Event {
	host := event.Netns{Inode: 4026531840, Name: "host"}
	pod := event.Netns{Inode: 4026532281, Name: "blue"}
	missed := event.Counter{Source: event.CounterLink, Name: "rx_missed_errors", Netns: host, Device: "eth0", Index: 2}
	noPorts := event.Counter{Source: event.CounterProtocol, Name: "UdpNoPorts", Netns: pod}
	dropped := event.Counter{Source: event.CounterSoftnet, Name: "dropped", Part: "cpu 3"}
	moved := event.Counter{Source: event.CounterLink, Name: "tx_dropped", Netns: host, Device: "veth8", Index: 8}
	return []event.Event{
		&event.Counters{
			Readings: []event.Reading{{Counter: missed, Value: 5321081}, {Counter: noPorts}, {Counter: dropped, Value: 1 << 40}},
			Links:    []event.Link{{Name: "eth0", Index: 2, Netns: host, NativeXDP: true}, {Name: "veth7", Index: 7, Netns: host, Kind: "veth", Peer: "eth0", PeerIndex: 3, PeerNetns: pod}},
		},
		&event.Counters{
			Time: time.Second, Readings: []event.Reading{{Counter: missed, Value: 5321089}, {Counter: moved, Value: 41}},
			Bases: []event.Reading{{Counter: moved, Value: 40}}, Gone: []event.Counter{noPorts},
		},
		&event.End{Time: time.Second, Loss: event.Loss{Missed: new(uint64)}},
	}
}

func TestCountersRoundTrip(t *testing.T) {
	r, err := NewReader(bytes.NewReader(write(t, counterEvents())))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if diff := cmp.Diff(counterEvents(), allEvents(t, r), sameEvents); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCountersSchema(t *testing.T) {
	golden(t, "schema4-counters.jsonl", write(t, counterEvents()))
}

func TestCountersDamage(t *testing.T) {
	text := string(write(t, counterEvents()))
	for name, change := range map[string][2]string{
		"missing counter": {`[[0,5321089]`, `[[7,5321089]`},
		"missing gone":    {`"gone":[1]`, `"gone":[-1]`},
		"counter skipped": {`"type":"counter","id":1`, `"type":"counter","id":4`},
		"text as a value": {`[[0,5321089]`, `[["many",1]`},
		"missing base":    {`"bases":[[3,40]]`, `"bases":[[9,40]]`},
	} {
		t.Run(name, func(t *testing.T) {
			damaged := strings.Replace(text, change[0], change[1], 1)
			if damaged == text {
				t.Fatalf("no %s in the recording", change[0])
			}
			r, err := NewReader(strings.NewReader(damaged))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			for err == nil {
				_, err = r.Next()
			}
			if corrupt := new(event.CorruptError); !errors.As(err, &corrupt) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// churn has counters come and go, 20 at a time, as those of namespaces do.
func churn(turns int) (events []event.Event) {
	of := func(turn, i int) event.Reading {
		return event.Reading{Counter: event.Counter{
			Source: event.CounterProtocol, Name: fmt.Sprintf("UdpNoPorts%d", i),
			Netns: event.Netns{Inode: uint32(turn), Name: fmt.Sprintf("pod-%d", turn)},
		}, Value: uint64(100*turn + i)}
	}
	for turn := range turns {
		e := &event.Counters{Time: time.Duration(turn) * time.Second}
		for i := range 20 {
			e.Readings = append(e.Readings, of(turn, i))
			if turn > 0 {
				e.Gone = append(e.Gone, of(turn-1, i).Counter)
			}
		}
		events = append(events, e)
	}
	return append(events, &event.End{Loss: event.Loss{Missed: new(uint64)}})
}

// TestCountersComeAndGo: numbers are used again, and each event is read as it was
// written.
func TestCountersComeAndGo(t *testing.T) {
	want := churn(200)
	r, err := NewReader(bytes.NewReader(write(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if diff := cmp.Diff(want, allEvents(t, r), sameEvents); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := len(r.counters); n != 40 {
		t.Errorf("room for %d counters, of which 40 are known at a time", n)
	}
}

// TestCounterChanges: a counter that gets another name is the same; one that is gone and
// appears in the same event is another one.
func TestCounterChanges(t *testing.T) {
	old := event.Counter{Source: event.CounterLink, Name: "rx_dropped", Netns: event.Netns{Inode: 7}, Device: "eth0", Index: 2}
	renamed := old
	renamed.Device, renamed.Netns.Name = "eth1", "blue"
	want := []event.Event{
		&event.Counters{Readings: []event.Reading{{Counter: old, Value: 5}}},
		&event.Counters{Readings: []event.Reading{{Counter: renamed, Value: 6}}},
		&event.Counters{Gone: []event.Counter{renamed}, Readings: []event.Reading{{Counter: renamed, Value: 1}}},
		&event.Counters{Readings: []event.Reading{{Counter: renamed, Value: 2}}},
		&event.End{Loss: event.Loss{Missed: new(uint64)}},
	}
	r, err := NewReader(bytes.NewReader(write(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if diff := cmp.Diff(want, allEvents(t, r), sameEvents); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := len(r.counters); n != 1 {
		t.Errorf("%d counters", n)
	}
}

// TestCountersBack: in older recordings a counter that is gone and back goes on.
func TestCountersBack(t *testing.T) {
	c := event.Counter{Source: event.CounterLink, Name: "rx_dropped", Device: "eth0"}
	at := func(n uint64) event.Reading { return event.Reading{Counter: c, Value: n} }
	text := write(t, []event.Event{
		&event.Counters{Readings: []event.Reading{at(5)}},
		&event.Counters{Gone: []event.Counter{c}},
		&event.Counters{Readings: []event.Reading{at(9)}},
	})
	for schema, want := range map[string]uint64{"3": 4, "4": 9} {
		r, err := NewReader(bytes.NewReader(bytes.Replace(text, []byte(`"schema":4`), []byte(`"schema":`+schema), 1)))
		if err != nil {
			t.Fatal(err)
		}
		var meter event.Meter
		for {
			e, err := r.Next()
			if err != nil {
				break // the recording has no end
			}
			if counters, ok := e.(*event.Counters); ok {
				meter.Add(counters)
			}
		}
		r.Close()
		if moved := meter.Movements()[0].Moved; moved != want {
			t.Errorf("schema %s: moved by %d, want %d", schema, moved, want)
		}
	}
}
