// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/softirq"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// theStall is that of the second story, and one that nobody is blamed for.
func theStalls() []*stall.Stall {
	const ms = time.Millisecond
	reader := event.Task{PID: 10436, TGID: 10430, Comm: "cadvisor"}
	echo := func(seq uint16, queued time.Duration) event.LatePacket {
		return event.LatePacket{
			Time: 120 * ms, Queued: queued, Device: event.Device{Name: "eth0"}, Netns: event.Netns{Inode: 1, Name: "host"}, Len: 84,
			Packet: event.Packet{
				Version: 4, Protocol: event.ProtocolICMP, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"),
				HasICMP: true, ICMPType: 8, EchoID: 7, EchoSeq: seq,
			},
		}
	}
	walk := &event.Frame{Addr: 0xffffffff81000020, Symbol: "mem_cgroup_stat_show", Offset: 16, Module: "vmlinux"}
	return []*stall.Stall{
		{
			CPU: 11, Start: 20 * ms, End: 119 * ms, Drained: 120 * ms, Verdict: stall.LongSyscall, Confidence: stall.High,
			Culprit: &stall.Culprit{
				PID: 10430, TID: 10436, Comm: "cadvisor", CgroupPath: "/kubepods/burstable/pod1a2b3c4d-0000-1111-2222-333344445555",
				Syscall: &stall.Syscall{Name: "read", Args: [3]uint64{3, 4, 5}, Path: "/sys/fs/cgroup/memory.stat"},
			},
			Parts: []stall.Part{
				{Kind: stall.PartTask, Task: reader, Duration: 98 * ms, Share: 98. / 99},
				{Kind: stall.PartUnaccounted, Duration: ms, Share: 1. / 99},
			},
			Stack: &event.Stack{Frames: []*event.Frame{walk}}, User: []event.Frame{{Addr: 1, Symbol: "main.read", Offset: 4, Module: "cadvisor"}},
			Late: []event.LatePacket{echo(1, 20*ms), echo(2, 0)}, LateCount: 10,
			Samples: 24, Agreeing: 24, Expected: 24, Accounted: 98. / 99, Hint: "1500 dying cgroups below /sys/fs/cgroup",
		},
		{
			CPU: 0, Start: 200 * ms, End: 208 * ms, Drained: 208 * ms, Verdict: stall.Unexplained,
			Parts: []stall.Part{{Kind: stall.PartUnaccounted, Duration: 8 * ms, Share: 1}}, LateCount: 1,
			Unavailable: []stall.Source{stall.SourceCount},
		},
	}
}

func stallMeta() *event.Meta {
	return &event.Meta{Host: "node7", Start: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
}

func TestStallText(t *testing.T) {
	var b []byte
	for _, s := range theStalls() {
		b = AppendStall(b, stallMeta(), s, StallOptions{Packets: 1})
	}
	golden(t, "stalls.txt", b)
}

func TestStallJSON(t *testing.T) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, s := range theStalls() {
		if err := EncodeStall(enc, stallMeta(), s); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "stalls.jsonl", b.Bytes())
}

func TestStallSums(t *testing.T) {
	sums := NewStalls()
	for _, s := range append(theStalls(), theStalls()...) {
		sums.Add(s)
	}
	var b bytes.Buffer
	if err := sums.Write(&b, 5*time.Millisecond, 0); err != nil {
		t.Fatal(err)
	}
	times := event.SoftirqTimes{CPU: 11, BudgetEnded: 1234}
	times.Waits[10], times.Waits[13], times.Waits[26] = 90, 9, 1
	times.Runs[12] = 100
	b.WriteByte('\n')
	if err := WriteSoftirqTimes(&b, []event.SoftirqTimes{{CPU: 3}, times}); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\n" + StallAccounting(&event.StallLoss{Submitted: 31, Read: 30, RingFull: 1, Paused: 90 * time.Second}, 30) + "\n")
	golden(t, "stallsums.txt", b.Bytes())

	b.Reset()
	if err := (&StallSums{sums: sums, loss: &event.StallLoss{Submitted: 31, Read: 31}}).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "stallsums.json", b.Bytes())

	b.Reset()
	if err := NewStalls().Write(&b, 5*time.Millisecond, 0); err != nil || b.String() != "no packets waited for 5.00 ms or longer\n" {
		t.Errorf("nothing is %q, error %v", b.String(), err)
	}
}

func TestStallWindows(t *testing.T) {
	for want, stats := range map[string]softirq.Stats{
		"0 windows judged: 0 stalls": {},
		"1 window judged: 1 stall":   {Windows: 1, Stalls: 1},
		"1,021 windows judged: 2 stalls, 4 part of a later window, 1,000 shorter than the threshold, 5 with nothing waiting, " +
			"6 with a stale raise, 3 covered by another stall, 1 inconsistent; " +
			"samples and packets not used: 7 without a window, 8 above the limit of a window": {
			Windows: 1021, Stalls: 2, Moved: 4, Short: 1000, Empty: 5, Stale: 6, Twice: 3, Invalid: 1, Orphans: 7, Left: 8,
		},
	} {
		if got := StallWindows(stats); got != want {
			t.Errorf("%+v:\ngot  %s\nwant %s", stats, got, want)
		}
	}
}

func TestSpanText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		999: "999 ns", 1500: "1.5 µs", 15_000: "15 µs", 1_500_000: "1.50 ms", 15_500_000: "15.5 ms",
		155_500_000: "156 ms", 1_550_000_000: "1.55 s", 15 * time.Second: "15.0 s",
	} {
		if got := spanText(d); got != want {
			t.Errorf("%d: got %s, want %s", d, got, want)
		}
	}
}
