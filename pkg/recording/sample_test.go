// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/dropwatch/dropwatch/pkg/event"
)

func sampleMeta() *event.Meta {
	start := time.Date(2026, 11, 22, 14, 0, 0, 123456789, time.UTC)
	return &event.Meta{
		Version: "0.1.0", Kernel: "6.18.0", BuildID: "00ff", Arch: "amd64", Host: "node7", CPUs: 2,
		Text:    event.Range{Start: 0xffffffff81000000, End: 0xffffffff82000000},
		Command: []string{"dropwatch", "record"}, Start: start, StartMono: 5 * time.Second, Boot: start.Add(-5 * time.Second),
		Hooks: []event.Hook{{Name: "skb:kfree_skb", Rung: "tp_btf"}}, UnwindBudget: 1000, Snaplen: 64,
		Notes: []string{"a note"}, StallThreshold: time.Millisecond,
	}
}

// sampleEvents holds every kind of event with every kind of member.
func sampleEvents() []event.Event {
	// IDs as the tracer gives them: it numbers frames that are then trimmed.
	site := &event.Frame{ID: 3, Addr: 0xffffffff81000010, Symbol: "nft_do_chain", Offset: 16, Module: "vmlinux"}
	caller := &event.Frame{ID: 9, Addr: 0xffffffffa0000020, Symbol: "veth_poll", Offset: 32, Module: "veth"}
	unnamed := &event.Frame{ID: 4, Addr: 0xffffffffa0000999}
	stack := &event.Stack{ID: 2, Frames: []*event.Frame{site, caller, unnamed}, Cut: true}
	policy := &event.Cell{
		ID: 5, Reason: event.Reason{Code: 12, Name: "NETFILTER_DROP"}, Location: site,
		Device: event.Device{Index: 7, Name: `veth"0`}, Netns: event.Netns{Inode: 4026532281, Name: "blue"},
		Ethertype: event.EthertypeIPv4, Protocol: event.ProtocolUDP,
	}
	noise := &event.Cell{ID: 1, Reason: event.Reason{Code: 2, Name: "NOT_SPECIFIED"}, Location: unnamed, Family: 1}
	overflow := &event.Cell{ID: 0, Location: &event.Frame{ID: 0}, Overflow: true}
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::2")
	missed := uint64(3)
	loss := event.Loss{RingFull: 1, StackFailed: 1, StackCut: 2, StackTable: 4, Overflow: 6, Malformed: 7, Missed: &missed}
	totals := event.Totals{Drops: 110, Bytes: 9000, Segments: 4500, Sampled: 3, Read: 3}

	return []event.Event{
		&event.Drop{
			Time: time.Millisecond, CPU: 1, Drops: 90, Cell: policy, Segments: 45, Len: 78, Context: event.ContextSoftirq,
			Task: event.Task{PID: 12, TGID: 11, Comm: `<b>"x\\\x1b`, Cgroup: 1 << 40}, Stack: stack,
			Packet: event.Packet{
				HasVLAN: true, HasInner: true, Inner: 5, Version: 4, Protocol: 6, TTL: 64, Src: a, Dst: a, SrcPort: 1, DstPort: 65535, TCPFlags: 0x12,
			},
			Bytes: []byte{0x45, 0, 0xff},
		},
		&event.Drop{
			Time: 2 * time.Millisecond, Drops: 1, Cell: noise, Context: event.ContextIdle, Overflow: true,
			Packet: event.Packet{Version: 6, Protocol: 58, Src: b, Dst: b, HasICMP: true, EchoID: 0, EchoSeq: 0, ICMPType: 128},
		},
		&event.Tick{
			Time: time.Second, Totals: totals, Loss: loss,
			Counts: []event.Count{{Cell: policy, Drops: 100, Bytes: 8000, Segments: 4500}, {Cell: noise, Drops: 4, Bytes: 400}, {Cell: overflow, Drops: 6, Bytes: 600}},
		},
		&event.Drop{
			Time: 1500 * time.Millisecond, Drops: 1, Cell: policy, Context: event.ContextProcess,
			Packet: event.Packet{Version: 4, Protocol: 17, Src: a, Dst: a, Fragment: true, ICMPCode: 0},
		},
		&event.End{Time: 2 * time.Second, Totals: totals, Loss: event.Loss{}},
	}
}

// write returns the sample as a recording, in plain text.
func write(tb testing.TB, events []event.Event) []byte {
	tb.Helper()
	plain, err := io.ReadAll(decompress(tb, writeCompressed(tb, events)))
	if err != nil {
		tb.Fatal(err)
	}
	return plain
}

func writeCompressed(tb testing.TB, events []event.Event) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, sampleMeta())
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range totaled(events) {
		if err := errors.Join(w.Write(e), w.Flush()); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// totaled returns events with the totals of drops that a tracer gives.
func totaled(events []event.Event) (all []event.Event) {
	var sum event.Totals
	for _, e := range events {
		switch now := e.(type) {
		case *event.Tick:
			for _, c := range now.Counts {
				sum.Drops += c.Drops
			}
			tick := *now
			tick.Totals.Drops = sum.Drops
			e = &tick
		case *event.End:
			end := *now
			end.Totals.Drops = sum.Drops
			e = &end
		}
		all = append(all, e)
	}
	return all
}

func decompress(tb testing.TB, compressed []byte) io.Reader {
	tb.Helper()
	r, err := zstd.NewReader(bytes.NewReader(compressed))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(r.Close)
	return r
}

// readAll copies what a reader yields, until it ends or fails.
func readAll(src event.Source) (events []event.Event, err error) {
	for {
		e, err := src.Next()
		if err != nil {
			return events, err
		}
		switch e := e.(type) {
		case *event.Drop:
			d := *e
			d.Bytes = bytes.Clone(e.Bytes)
			events = append(events, &d)
		case *event.Tick:
			t := *e
			t.Counts = append([]event.Count(nil), e.Counts...)
			events = append(events, &t)
		case *event.End:
			end := *e
			events = append(events, &end)
		default:
			events = append(events, e) // new each time
		}
	}
}
