// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// stallEvents has every member of every kind of event that tells of stalls, and
// each kind with as little as can be.
func stallEvents() []event.Event {
	const ms = time.Millisecond
	timer := &event.Frame{ID: 0, Addr: 0xffffffff81000010, Symbol: "estimation_timer", Module: "ip_vs"}
	stack := &event.Stack{ID: 0, Frames: []*event.Frame{timer}}
	reader := event.Task{PID: 10436, TGID: 10430, Comm: "cadvisor", Cgroup: 77}
	at := event.Interrupted{
		Task: reader, Policy: 1, Priority: 49, PreemptCount: 0x10201, CountKnown: true,
		Vector: 1, VectorSince: 3 * ms, IRQ: 24, Handler: "eth0-rx-0", IRQSince: 4 * ms, Timer: timer, TimerSince: 5 * ms,
	}
	none := event.Interrupted{Vector: -1, IRQ: -1}
	echo := event.Packet{
		Version: 4, Protocol: 1, TTL: 64, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"),
		HasICMP: true, ICMPType: 8, EchoID: 7, EchoSeq: 9,
	}
	return []event.Event{
		&event.CPUSample{
			Time: 12 * ms, CPU: 11, Window: 10 * ms, Late: 2 * ms, At: at, Cgroup: "/kubepods.slice/pod1", Pending: 0x8, PendingKnown: true,
			Syscall: &event.Syscall{Number: 0, Args: [3]uint64{3, 4, 5}, Path: "/sys/fs/cgroup/memory.stat", Magic: 0x63677270},
			Stack:   stack, User: []event.Frame{{Addr: 0x401000, Symbol: "main.read", Offset: 16, Module: "cadvisor"}, {Addr: 1}},
		},
		&event.CPUSample{Time: 13 * ms, At: none},
		&event.LatePacket{
			Time: 110 * ms, CPU: 11, Window: 10 * ms, Queued: 20 * ms, Device: event.Device{Index: 2, Name: "eth0"},
			Netns: event.Netns{Inode: 1, Name: "host"}, Packet: echo, Len: 84,
		},
		&event.LatePacket{Time: 111 * ms},
		&event.Window{
			CPU: 11, Waiter: event.WaiterThread, Start: 10 * ms, Served: 109 * ms, Done: 112 * ms, Raised: 11 * ms, At: at,
			Blocked: &event.Blocked{From: 10 * ms, Till: 12 * ms, Late: true, Handler: "eth0", Function: timer},
			Edges: []event.Edge{
				{Time: 11 * ms, Kind: event.EdgeRaise, Vector: 3},
				{Time: 12 * ms, Kind: event.EdgeIRQEntry, IRQ: 24, Handler: "eth0-rx-0"},
				{Time: 13 * ms, Kind: event.EdgeTimerEntry, Function: timer},
				{Time: 14 * ms, Kind: event.EdgeSwitch, Task: event.Task{PID: 1, TGID: 1, Comm: "init"}, Policy: 1, Priority: 3, Kthread: true},
			},
			EdgesLost: 3, Stolen: ms, StolenKnown: true, Ticks: 24, Period: 4 * ms, Late: 10, Cut: true, Longest: 98 * ms, LongestEnd: 109 * ms,
			ThreadPID: 99, Woken: 5 * ms, WaitedCPU: 3, Moved: true,
			Polls: event.Polls{Runs: 1, Polls: 2, Packets: 10, Full: 1, Squeezed: 1, Device: "eth0"},
		},
		&event.Window{Start: ms, Served: 8 * ms, Done: 8 * ms, At: none},
		&event.Echo{Time: 110 * ms, CPU: 11, Queued: 20 * ms, Task: reader, Context: event.ContextKsoftirqd, Packet: echo},
		&event.End{Time: time.Second, Loss: event.Loss{Missed: new(uint64)}, Stalls: &event.StallLoss{Submitted: 7, Read: 6, RingFull: 1}},
	}
}

// allEvents copies all that a reader yields.
func allEvents(t *testing.T, r *Reader) []event.Event {
	t.Helper()
	events, err := readAll(r)
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return events
}

func TestStallsRoundTrip(t *testing.T) {
	r, err := NewReader(bytes.NewReader(write(t, stallEvents())))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if diff := cmp.Diff(stallEvents(), allEvents(t, r), sameEvents); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestStallsSchema(t *testing.T) {
	golden(t, "schema4-stalls.jsonl", write(t, stallEvents()))
}

func TestStallsDamage(t *testing.T) {
	text := string(write(t, stallEvents()))
	for name, change := range map[string][2]string{
		"unknown waiter":   {`"waiter":"thread"`, `"waiter":"god"`},
		"unknown edge":     {`"edge":"switch"`, `"edge":"leap"`},
		"missing frame":    {`"function":0`, `"function":9`},
		"missing timer":    {`"timer":0`, `"timer":-1`},
		"missing stack":    {`"stack":0`, `"stack":4`},
		"foreign address":  {`"src":"10.0.0.1"`, `"src":"ten"`},
		"negative vector":  {`"vector":3`, `"vector":-3`},
		"text as a number": {`"ticks":24`, `"ticks":"many"`},
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
			var corrupt *event.CorruptError
			if !errors.As(err, &corrupt) || corrupt.Line < 2 {
				t.Errorf("error %v", err)
			}
		})
	}
}
