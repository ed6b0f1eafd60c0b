// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"errors"
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
