// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/rtt"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

const ms = time.Millisecond

// echoAt is a request that came and was handled at these times.
func echoAt(seq uint16, queued, handled time.Duration) *event.Echo {
	return &event.Echo{
		Time: handled, CPU: 1, Queued: queued,
		Packet: event.Packet{Version: 4, Protocol: event.ProtocolICMP, HasICMP: true, ICMPType: 8, EchoID: 7, EchoSeq: seq},
	}
}

func replyTo(id, seq uint16, took time.Duration) rtt.Reply {
	return rtt.Reply{ICMP: true, ID: id, Seq: seq, Wire: seq, RTT: took}
}

// table returns echoes that list what they show.
func table(withRTT bool) (*echoes, *[]string) {
	shown := &[]string{}
	return &echoes{threshold: 5 * ms, withRTT: withRTT, show: func(e *report.Echo) error {
		delay, _ := e.Delay()
		line := fmt.Sprintf("%d %v", e.Packet.EchoSeq, delay)
		if e.HasRTT {
			line += fmt.Sprintf(" rtt %v", e.RTT)
		}
		if e.Verdict != "" {
			line += fmt.Sprintf(" %s %s", e.Verdict, e.Because)
		}
		*shown = append(*shown, line)
		return nil
	}}, shown
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestEchoesWaitForTheirStall has two late requests, whose stall is known later, hold
// back the one behind them.
func TestEchoesWaitForTheirStall(t *testing.T) {
	e, shown := table(false)
	check(t, e.add(echoAt(1, 10*ms, 10*ms)))
	check(t, e.add(echoAt(2, 20*ms, 100*ms)))
	check(t, e.add(echoAt(3, 30*ms, 100*ms)))
	check(t, e.add(echoAt(4, 101*ms, 101*ms)))
	if diff := cmp.Diff([]string{"1 0s"}, *shown); diff != "" {
		t.Errorf("before the window (-want +got):\n%s", diff)
	}
	check(t, e.window(&event.Window{CPU: 0, Done: 200 * ms}, nil)) // of another CPU
	s := &stall.Stall{
		CPU: 1, Start: 20 * ms, End: 100 * ms, Verdict: stall.BHOff,
		Culprit: &stall.Culprit{PID: 42, Comm: "cadvisor", Syscall: &stall.Syscall{Name: "read", Path: "/proc/x"}},
	}
	check(t, e.window(&event.Window{CPU: 1, Done: 100 * ms}, s))
	want := []string{"1 0s", "2 80ms BH_OFF cadvisor (pid 42) in read(/proc/x)", "3 70ms BH_OFF cadvisor (pid 42) in read(/proc/x)", "4 0s"}
	if diff := cmp.Diff(want, *shown); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestEchoesJoinLog joins replies that come before and after their requests, one
// without an identifier, one of another ping.
func TestEchoesJoinLog(t *testing.T) {
	e, shown := table(true)
	check(t, e.reply(replyTo(7, 2, 3*ms)))
	check(t, e.reply(replyTo(8, 1, 9*ms)))
	check(t, e.reply(rtt.Reply{ICMP: true, Wire: 1, Unanswered: true}))
	check(t, e.add(echoAt(1, 10*ms, 10*ms)))
	check(t, e.add(echoAt(2, 20*ms, 20*ms)))
	check(t, e.add(echoAt(3, 30*ms, 30*ms)))
	if len(*shown) != 0 {
		t.Errorf("shown too early: %v", *shown)
	}
	check(t, e.reply(replyTo(0, 1, 2*ms)))
	unmatched, err := e.end()
	if err != nil || unmatched != 1 {
		t.Errorf("%d replies to no request, error %v", unmatched, err)
	}
	want := []string{"1 0s rtt 2ms", "2 0s rtt 3ms", "3 0s"}
	if diff := cmp.Diff(want, *shown); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestEchoesAreBounded has a stall that is never told.
func TestEchoesAreBounded(t *testing.T) {
	e, shown := table(false)
	for i := range maxPending + 10 {
		check(t, e.add(echoAt(uint16(i), 0+ms, 100*ms)))
	}
	if len(e.pending) >= maxPending || len(*shown) < 10 {
		t.Errorf("%d wait, %d were shown", len(e.pending), len(*shown))
	}
}
