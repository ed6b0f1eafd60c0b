// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// median is that of the packets' delays.
func median(packets []Packet) time.Duration {
	if len(packets) == 0 {
		return 0
	}
	d := delays(packets)
	return d[len(d)/2]
}

// longest is the longest of the packets' delays.
func longest(packets []Packet) time.Duration {
	return slices.Max(delays(packets))
}

func delays(packets []Packet) (sorted []time.Duration) {
	for _, p := range packets {
		sorted = append(sorted, p.Delay())
	}
	slices.Sort(sorted)
	return sorted
}

// TestTraffic sends without injecting: nothing is to be late.
func TestTraffic(t *testing.T) {
	for name, class := range map[string]Class{"softirq": BHOff, "NAPI thread": RTStarve} {
		t.Run(name, func(t *testing.T) {
			b := open(t, class)
			first := b.traffic.sender.first
			for range attempts {
				packets := send(t, b, 200*time.Millisecond)
				checkNumbers(t, packets, first)
				first += len(packets)
				if d := median(packets); len(packets) > 20 && d > 0 && d < time.Millisecond {
					return
				}
				t.Logf("%d packets took %s", len(packets), delays(packets))
			}
			t.Error("too few packets, or too slow")
		})
	}
}

// send sends for a time.
func send(t *testing.T, b *Bench, d time.Duration) []Packet {
	t.Helper()
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(d)
	packets, err := b.Stop()
	if err != nil {
		t.Fatal(err)
	}
	return packets
}

func checkNumbers(t *testing.T, packets []Packet, first int) {
	t.Helper()
	for i, p := range packets {
		if p.Number != first+i || p.CPU != receiveCPU || p.Returned < p.Sent {
			t.Fatalf("packet %d: got %+v", first+i, p)
		}
		echo := p.Number%5 == 4
		if (p.Protocol == unix.IPPROTO_ICMP) != echo || (p.EchoID != 0) != echo || (p.Dst.Port() == 0) != echo {
			t.Errorf("packet %d: got %+v", p.Number, p)
		}
	}
}

func TestMisuse(t *testing.T) {
	b := open(t, BHOff)
	for _, d := range []time.Duration{0, -1, MaxHold + 1} {
		if _, err := b.Inject(d); err == nil {
			t.Errorf("injected for %s", d)
		}
	}
	if _, err := b.Stop(); err == nil {
		t.Error("stopped what was not started")
	}
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	if err := b.Start(); err == nil {
		t.Error("started twice")
	}
	if _, err := Open("NO_SUCH_CLASS"); err == nil {
		t.Error("opened a bench for no class")
	}
}

func TestMessage(t *testing.T) {
	m := newMessage()
	m.number(0x10203)
	want := message{8, 0, 0, 0, 0, 0, 2, 3}
	binary.NativeEndian.PutUint32(want[8:], 0x10203)
	if m != want {
		t.Errorf("got % x, want % x", m, want)
	}
}
