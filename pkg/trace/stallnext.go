// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"time"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/usersymbol"
)

// users names the frames of user stacks, soon after they were taken.
type users interface {
	Resolve(pid uint32, addresses []uint64) []usersymbol.Frame
}

// stall returns a record as an event, with names instead of numbers.
func (r *resolver) stall(rec *stallRecord, period time.Duration) event.Event {
	switch rec.Type {
	case bpf.StallRecordTypeSTALL_WINDOW:
		return r.window(&rec.Window, period)
	case bpf.StallRecordTypeSTALL_SAMPLE:
		return r.sample(&rec.Sample)
	case bpf.StallRecordTypeSTALL_ECHO:
		return r.echo(&rec.Packet)
	}
	return r.late(&rec.Packet)
}

// at converts a time of the kernel's clock; 0, which means unknown, stays 0.
func (r *resolver) at(ns uint64) time.Duration {
	if ns == 0 {
		return 0
	}
	return time.Duration(ns) - r.start
}

func (r *resolver) window(w *bpf.StallWindow, period time.Duration) *event.Window {
	e := &event.Window{
		CPU: int(w.Head.Cpu), Waiter: event.Waiter(w.Waiter),
		Start: r.at(w.Head.StartNs), Served: r.at(w.ServedNs), Done: r.at(w.Head.TimeNs), Raised: r.at(w.RaisedNs),
		At: r.interrupted(&w.At), EdgesLost: w.EdgesLost,
		Stolen: time.Duration(w.StolenNs), StolenKnown: w.Flags&uint32(bpf.StallWindowFlagWINDOW_STOLEN) != 0,
		Ticks: w.Ticks, Period: period, Late: w.Late, ThreadPID: w.ThreadPid,
		Longest: time.Duration(w.LongestNs), LongestEnd: r.at(w.LongestTillNs),
		Woken: r.at(w.WokenNs), WaitedCPU: int(w.WaitedCpu),
		Moved: w.Flags&uint32(bpf.StallWindowFlagWINDOW_MOVED) != 0, Cut: w.Flags&uint32(bpf.StallWindowFlagWINDOW_CUT) != 0,
		Polls: event.Polls{
			Runs: w.Runs, Polls: w.Polls, Packets: w.Packets, Full: w.Full, Squeezed: w.Squeezed, Device: r.chars(&w.Device),
		},
	}
	if w.Flags&uint32(bpf.StallWindowFlagWINDOW_BLOCKED) != 0 {
		e.Blocked = &event.Blocked{
			From: r.at(w.BlockedFromNs), Till: r.at(w.BlockedTillNs),
			Late: w.Flags&uint32(bpf.StallWindowFlagWINDOW_LATE) != 0, Handler: r.chars(&w.BlockedHandler),
			Function: r.function(w.BlockedFunction),
		}
	}
	for i := range w.Edge[:w.Edges] {
		e.Edges = append(e.Edges, r.edge(&w.Edge[i]))
	}
	return e
}

func (r *resolver) edge(raw *bpf.StallEdge) event.Edge {
	e := event.Edge{Time: r.at(raw.TimeNs), Kind: event.EdgeKind(raw.Kind)}
	switch e.Kind {
	case event.EdgeSwitch, event.EdgeWake:
		e.Task, e.Policy, e.Priority, e.Kthread = r.task(&raw.Task)
	case event.EdgeIRQEntry, event.EdgeIRQExit:
		e.IRQ = raw.Irq
		if e.Kind == event.EdgeIRQEntry {
			e.Handler = r.chars(&raw.Task.Comm)
		}
	case event.EdgeTimerEntry, event.EdgeTimerExit:
		e.Function = r.function(raw.Function)
	default:
		e.Vector = uint8(raw.Vector)
	}
	return e
}

func (r *resolver) task(t *bpf.StallTask) (task event.Task, policy uint8, priority int16, kthread bool) {
	task = event.Task{PID: t.Pid, TGID: t.Tgid, Comm: r.chars(&t.Comm)}
	return task, uint8(t.Policy), t.Prio, t.Flags&uint32(bpf.StallTaskFlagTASK_KTHREAD) != 0
}

func (r *resolver) interrupted(raw *bpf.StallInterrupted) event.Interrupted {
	at := event.Interrupted{
		Vector: int8(raw.Vector), VectorSince: r.at(raw.VectorNs), IRQ: raw.Irq, IRQSince: r.at(raw.IrqNs),
		Handler: r.chars(&raw.Handler), Timer: r.function(raw.Timer), TimerSince: r.at(raw.TimerNs),
	}
	at.Task, at.Policy, at.Priority, at.Kthread = r.task(&raw.Task)
	return at
}

// function returns the frame of a function's address, nil for the address 0.
func (r *resolver) function(address uint64) *event.Frame {
	if address == 0 {
		return nil
	}
	return r.stacks.frame(address + 1) // frame takes a return address
}

func (r *resolver) sample(s *bpf.StallCpuSample) *event.CPUSample {
	has := func(flag bpf.StallSampleFlag) bool { return s.Flags&uint32(flag) != 0 }
	e := &event.CPUSample{
		Time: r.at(s.Head.TimeNs), CPU: int(s.Head.Cpu), Window: r.at(s.Head.StartNs),
		Late: time.Duration(s.LateNs), At: r.interrupted(&s.At),
		Pending: s.Pending, PendingKnown: has(bpf.StallSampleFlagSAMPLE_PENDING),
	}
	e.At.Task.Cgroup = s.CgroupId
	e.Cgroup = r.cgroups.of(s.CgroupId, s.At.Task.Tgid, time.Duration(s.Head.TimeNs))
	e.At.PreemptCount, e.At.CountKnown = s.PreemptCount, has(bpf.StallSampleFlagSAMPLE_PREEMPT_COUNT)
	if has(bpf.StallSampleFlagSAMPLE_SYSCALL) && s.Syscall >= 0 {
		e.Syscall = &event.Syscall{Number: int(s.Syscall), Args: s.Args, Magic: s.Magic}
		if s.PathLen > 0 {
			e.Syscall.Path = pathOf(s.Path[:s.PathLen])
		}
	}
	if n := max(0, int(s.StackLen)) / 8; n > 0 {
		e.Stack = r.stacks.find(s.Stack[:n], 0)
	}
	e.User = r.userFrames(s.At.Task.Tgid, s.User[:max(0, int(s.UserLen))/8])
	return e
}

// userFrames returns the frames of a user stack, with names if r.users is set.
func (r *resolver) userFrames(pid uint32, addresses []uint64) (frames []event.Frame) {
	if r.users == nil {
		for _, addr := range addresses {
			frames = append(frames, event.Frame{Addr: event.Address(addr)})
		}
		return frames
	}
	if len(addresses) == 0 {
		return nil
	}
	for _, f := range r.users.Resolve(pid, addresses) {
		frames = append(frames, event.Frame{Addr: event.Address(f.Addr), Symbol: f.Name, Offset: f.Offset, Module: f.Module})
	}
	return frames
}

func (r *resolver) late(p *bpf.StallLatePacket) *event.LatePacket {
	return &event.LatePacket{
		Time: r.at(p.Head.TimeNs), CPU: int(p.Head.Cpu), Window: r.at(p.Head.StartNs), Queued: r.at(p.QueuedNs),
		Device: event.Device{Index: int(p.Ifindex), Name: r.chars(&p.Device)},
		Netns:  event.Netns{Inode: p.Netns, Name: r.netns.name(p.Netns)},
		Packet: event.ParsePacket(p.Ethertype, p.Packet[:p.PacketLen]), Len: p.Len,
	}
}

func (r *resolver) echo(p *bpf.StallLatePacket) *event.Echo {
	e := &event.Echo{
		Time: r.at(p.Head.TimeNs), CPU: int(p.Head.Cpu), Queued: r.at(p.QueuedNs),
		Packet: event.ParsePacket(p.Ethertype, p.Packet[:p.PacketLen]),
	}
	var kthread bool
	e.Task, _, _, kthread = r.task(&p.Task)
	if p.Flags&uint32(bpf.StallSampleFlagSAMPLE_PREEMPT_COUNT) != 0 {
		e.Context = event.ContextOf(p.PreemptCount, e.Task, kthread)
	}
	return e
}
