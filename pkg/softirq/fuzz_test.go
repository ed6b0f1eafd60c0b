// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// tape yields values from bytes, and zeros when they are used up.
type tape struct{ bytes []byte }

func (t *tape) byte() byte {
	if len(t.bytes) == 0 {
		return 0
	}
	b := t.bytes[0]
	t.bytes = t.bytes[1:]
	return b
}

func (t *tape) bool() bool { return t.byte()&1 != 0 }

func (t *tape) uint32() uint32 {
	var raw [4]byte
	for i := range raw {
		raw[i] = t.byte()
	}
	return binary.LittleEndian.Uint32(raw[:])
}

// time yields milliseconds mostly, and now and then any 64 bits.
func (t *tape) time() time.Duration {
	b := t.byte()
	if b < 250 {
		return time.Duration(b)*time.Millisecond/2 + time.Duration(t.byte())*time.Microsecond
	}
	return time.Duration(uint64(t.uint32())<<32 | uint64(t.uint32()))
}

func (t *tape) task() event.Task {
	comms := []string{"swapper/1", "spin", "ksoftirqd/1", "napi/eth0-1", "\x1b[31m", ""}
	pid := uint32(t.byte() % 6)
	return event.Task{PID: pid, TGID: pid, Comm: comms[pid]}
}

func (t *tape) frame() *event.Frame {
	names := []string{"estimation_timer", "handle_softirqs", "asm_sysvec_apic_timer_interrupt", "hrtimer_interrupt", "entry_SYSCALL_64", "nft_do_chain", ""}
	i := int(t.byte())
	if i >= len(names) {
		return nil
	}
	return frame(names[i])
}

func (t *tape) interrupted() event.Interrupted {
	return event.Interrupted{
		Task: t.task(), Policy: t.byte(), Priority: int16(t.uint32()), Kthread: t.bool(), PreemptCount: t.uint32(), CountKnown: t.bool(),
		Vector: int8(t.byte()), VectorSince: t.time(), IRQ: int32(t.byte()) - 1, Handler: "eth0", IRQSince: t.time(),
		Timer: t.frame(), TimerSince: t.time(),
	}
}

func (t *tape) window() *event.Window {
	w := &event.Window{
		CPU: int(int8(t.byte()) % 4), Waiter: event.Waiter(t.byte() % 4), Start: t.time(), Served: t.time(), Done: t.time(), Raised: t.time(),
		At: t.interrupted(), EdgesLost: uint32(t.byte() % 2), Stolen: t.time(), StolenKnown: t.bool(), Ticks: t.uint32(), Period: t.time(),
		Late: uint64(t.byte()), ThreadPID: uint32(t.byte() % 6),
		Polls: event.Polls{Runs: uint32(t.byte()), Packets: uint64(t.uint32()), Full: uint32(t.byte()), Squeezed: uint32(t.byte())},
	}
	if t.bool() {
		w.Blocked = &event.Blocked{From: t.time(), Till: t.time(), Late: t.bool(), Function: t.frame()}
	}
	for range t.byte() % 16 {
		w.Edges = append(w.Edges, event.Edge{
			Time: t.time(), Kind: event.EdgeKind(t.byte() % 12), Vector: t.byte(), IRQ: int32(t.byte()), Function: t.frame(), Task: t.task(),
			Policy: t.byte() % 8, Kthread: t.bool(),
		})
	}
	return w
}

func (t *tape) event() event.Event {
	switch t.byte() % 5 {
	case 0, 1:
		return t.window()
	case 2:
		return &event.LatePacket{CPU: int(int8(t.byte()) % 4), Window: t.time(), Time: t.time(), Queued: t.time()}
	case 3:
		s := &event.CPUSample{
			CPU: int(int8(t.byte()) % 4), Window: t.time(), Time: t.time(), Late: t.time(), At: t.interrupted(), Pending: t.uint32(),
			PendingKnown: t.bool(),
		}
		if t.bool() {
			s.Syscall = &event.Syscall{Number: int(int32(t.uint32())), Path: "/proc/\x1b[2J"}
			s.Stack = &event.Stack{}
		}
		for range t.byte() % 8 {
			if s.Stack != nil {
				s.Stack.Frames = append(s.Stack.Frames, t.frame())
			}
		}
		return s
	}
	return &event.End{}
}

// FuzzTracker feeds any events in any order.
func FuzzTracker(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(32) {
		random := rand.New(rand.NewPCG(seed, 0))
		raw := make([]byte, 512)
		for i := range raw {
			raw[i] = byte(random.Uint32() % 250)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		tracker, in := New(Config{Arch: "amd64", Threshold: time.Millisecond}), &tape{raw}
		for len(in.bytes) > 0 {
			s := tracker.Add(in.event())
			if s == nil {
				continue
			}
			check(t, s)
			for _, r := range s.Sentence() {
				if r < ' ' {
					t.Errorf("sentence %q", s.Sentence())
				}
			}
		}
	})
}
