// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"net/netip"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// Tests tell times in milliseconds since the start of the recording.
func ms(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }

// frames are equal if their pointers are, as within a Source.
var frames = map[string]*event.Frame{}

func frame(name string) *event.Frame {
	if frames[name] == nil {
		frames[name] = &event.Frame{ID: len(frames), Addr: event.Address(0x1000 * (len(frames) + 1)), Symbol: name, Module: "vmlinux"}
	}
	return frames[name]
}

// stack makes one of names, innermost first.
func stack(names ...string) *event.Stack {
	s := &event.Stack{}
	for _, name := range names {
		s.Frames = append(s.Frames, frame(name))
	}
	return s
}

// Stacks as the sampler takes them on amd64 and 6.18.
var (
	tickFrames = []string{
		"bpf_prog_6deef7357e7b4530_hrtimer_expire_entry", "bpf_trace_run1", "__hrtimer_run_queues", "hrtimer_interrupt",
		"__sysvec_apic_timer_interrupt", "sysvec_apic_timer_interrupt", "asm_sysvec_apic_timer_interrupt",
	}
	readFrames = []string{
		"memcg_stat_format", "memory_stat_show", "seq_read_iter", "vfs_read", "ksys_read", "do_syscall_64",
		"entry_SYSCALL_64_after_hwframe",
	}
	timerFrames = []string{
		"estimation_timer", "call_timer_fn", "__run_timers", "run_timer_softirq", "handle_softirqs", "irq_exit_rcu",
		"sysvec_apic_timer_interrupt", "asm_sysvec_apic_timer_interrupt", "cpuidle_enter_state", "do_idle",
	}
)

func ticked(names []string) *event.Stack {
	return stack(append(append([]string(nil), tickFrames...), names...)...)
}

// Tasks.
var (
	cadvisor  = event.Task{PID: 10440, TGID: 10436, Comm: "cadvisor"}
	spinner   = event.Task{PID: 900, TGID: 900, Comm: "spin"}
	builder   = event.Task{PID: 70, TGID: 70, Comm: "cc1"}
	napi      = event.Task{PID: 55, TGID: 55, Comm: "napi/veth0-1"}
	ksoftirq1 = event.Task{PID: 21, TGID: 21, Comm: "ksoftirqd/1"}
	idleTask  = event.Task{Comm: "swapper/1"}
)

// interrupted is a task with a preempt_count.
func interrupted(task event.Task, count uint32) event.Interrupted {
	return event.Interrupted{Task: task, PreemptCount: count, CountKnown: true, Vector: noVector, IRQ: -1, Priority: 120}
}

// inVector is a task that a softirq interrupted.
func inVector(task event.Task, vector int8, since float64) event.Interrupted {
	at := interrupted(task, 0x10101)
	at.Vector, at.VectorSince = vector, ms(since)
	return at
}

// raised is a window of CPU 1 in which NET_RX waits from one time to another.
func raised(from, till float64, at event.Interrupted) *event.Window {
	return &event.Window{
		CPU: 1, Start: ms(from), Raised: ms(from), Served: ms(till), Done: ms(till + 0.2), At: at,
		StolenKnown: true, Period: ms(4), Late: 1,
		Polls: event.Polls{Runs: 1, Polls: 1, Packets: 1, Device: "eth0"},
	}
}

// sampled makes samples of a window, one each 4 ms from a time on.
func sampled(w *event.Window, from float64, n int, s event.CPUSample) []event.CPUSample {
	var all []event.CPUSample
	for i := range n {
		s.CPU, s.Window, s.Time = w.CPU, w.Start, ms(from+4*float64(i))
		s.Pending, s.PendingKnown = 1<<kernel.NetRXSoftirq|1<<kernel.TimerSoftirq, true
		all = append(all, s)
	}
	return all
}

// packet is a late one with its arrival, 0 if that is unknown, and its end.
func packet(w *event.Window, queued, handled float64) event.LatePacket {
	return event.LatePacket{
		CPU: w.CPU, Window: w.Start, Queued: ms(queued), Time: ms(handled), Len: 84,
		Device: event.Device{Index: 2, Name: "eth0"},
		Packet: event.Packet{
			Version: 4, Protocol: event.ProtocolICMP, Src: netip.AddrFrom4([4]byte{10, 0, 0, 1}),
			Dst: netip.AddrFrom4([4]byte{10, 0, 0, 2}), HasICMP: true, ICMPType: 8, EchoID: 7, EchoSeq: 9,
		},
	}
}

// scene is the events of one window.
type scene struct {
	window  *event.Window
	samples []event.CPUSample
	packets []event.LatePacket
}

// play feeds a scene to a tracker, reusing the memory of each event at once.
func (s scene) play(t *Tracker) *stall.Stall {
	for _, sample := range s.samples {
		if sample.Syscall != nil {
			call := *sample.Syscall
			sample.Syscall = &call
		}
		sample.User = append([]event.Frame(nil), sample.User...)
		t.Add(&sample)
		if sample.Syscall != nil {
			*sample.Syscall = event.Syscall{Number: -1, Path: "gone"}
		}
		clear(sample.User)
		sample = event.CPUSample{}
	}
	for _, packet := range s.packets {
		t.Add(&packet)
		packet = event.LatePacket{}
	}
	w := *s.window
	w.Edges = append([]event.Edge(nil), w.Edges...)
	played := t.Add(&w)
	clear(w.Edges)
	w = event.Window{}
	return played
}

// Edges.
func edge(at float64, kind event.EdgeKind) event.Edge { return event.Edge{Time: ms(at), Kind: kind} }

func vectorEdge(at float64, kind event.EdgeKind, vector uint8) event.Edge {
	return event.Edge{Time: ms(at), Kind: kind, Vector: vector}
}

func irqEdge(at float64, irq int32, handler string) event.Edge {
	return event.Edge{Time: ms(at), Kind: event.EdgeIRQEntry, IRQ: irq, Handler: handler}
}

func timerEdge(at float64, function string) event.Edge {
	return event.Edge{Time: ms(at), Kind: event.EdgeTimerEntry, Function: frame(function)}
}

func switchEdge(at float64, task event.Task, policy uint8, priority int16) event.Edge {
	e := event.Edge{Time: ms(at), Kind: event.EdgeSwitch, Task: task, Policy: policy, Priority: priority}
	e.Kthread = task.PID == 0 || task == napi || task == ksoftirq1
	return e
}

func wakeEdge(at float64, task event.Task) event.Edge {
	return event.Edge{Time: ms(at), Kind: event.EdgeWake, Task: task, Kthread: true, Priority: 120}
}
