// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"github.com/dropwatch/dropwatch/pkg/event"
)

// stall writes an event that tells of stalls, and before it what it refers to.
func (w *Writer) stall(e event.Event) {
	switch e := e.(type) {
	case *event.Window:
		w.json(w.windowLine(e))
	case *event.CPUSample:
		w.json(w.sampleLine(e))
	case *event.LatePacket:
		line := newPacketLine(&e.Packet)
		line.Type, line.Time, line.CPU, line.Window, line.Queued = "late", e.Time, e.CPU, e.Window, e.Queued
		line.Device, line.Ifindex, line.Len = e.Device.Name, e.Device.Index, e.Len
		line.Netns, line.NetnsName = e.Netns.Inode, e.Netns.Name
		w.json(line)
	case *event.Echo:
		line := newPacketLine(&e.Packet)
		line.Type, line.Time, line.CPU, line.Queued, line.Context = "echo", e.Time, e.CPU, e.Queued, e.Context
		line.Task = newTaskLine(e.Task)
		w.json(line)
	}
}

func newTaskLine(t event.Task) *taskLine {
	return &taskLine{PID: t.PID, TGID: t.TGID, Comm: t.Comm, Cgroup: t.Cgroup}
}

// function returns the number of a frame, nil for none.
func (w *Writer) function(f *event.Frame) *int {
	if f == nil {
		return nil
	}
	number := w.frame(f)
	return &number
}

func (w *Writer) interrupted(at *event.Interrupted) interruptedLine {
	line := interruptedLine{
		taskLine: *newTaskLine(at.Task), VectorSince: at.VectorSince, Handler: at.Handler, IRQSince: at.IRQSince,
		Timer: w.function(at.Timer), TimerSince: at.TimerSince,
	}
	line.Policy, line.Priority, line.Kthread = at.Policy, at.Priority, at.Kthread
	if at.CountKnown {
		line.PreemptCount = &at.PreemptCount
	}
	if at.Vector >= 0 {
		line.Vector = &at.Vector
	}
	if at.IRQ >= 0 {
		line.IRQ = &at.IRQ
	}
	return line
}

func (w *Writer) windowLine(e *event.Window) windowLine {
	line := windowLine{
		Type: "window", CPU: e.CPU, Waiter: e.Waiter.String(),
		Start: e.Start, Served: e.Served, Done: e.Done, Raised: e.Raised, At: w.interrupted(&e.At),
		Edges: make([]edgeLine, 0, len(e.Edges)), EdgesLost: e.EdgesLost, Ticks: e.Ticks, Period: e.Period,
		Polls: pollsLine(e.Polls), Late: e.Late, Cut: e.Cut, Longest: e.Longest, LongestAt: e.LongestEnd, ThreadPID: e.ThreadPID,
		Woken: e.Woken, Moved: e.Moved,
	}
	if e.Woken != 0 {
		line.WaitedCPU = &e.WaitedCPU
	}
	if e.StolenKnown {
		line.Stolen = &e.Stolen
	}
	if b := e.Blocked; b != nil {
		line.Blocked = &blockedLine{b.From, b.Till, b.Late, b.Handler, w.function(b.Function)}
	}
	for i := range e.Edges {
		line.Edges = append(line.Edges, w.edgeLine(&e.Edges[i]))
	}
	return line
}

func (w *Writer) edgeLine(e *event.Edge) edgeLine {
	line := edgeLine{
		Time: e.Time, Kind: e.Kind.String(), Vector: e.Vector, IRQ: e.IRQ, Handler: e.Handler,
		Function: w.function(e.Function),
	}
	if e.Kind == event.EdgeSwitch || e.Kind == event.EdgeWake {
		line.Task = newTaskLine(e.Task)
		line.Task.Policy, line.Task.Priority, line.Task.Kthread = e.Policy, e.Priority, e.Kthread
	}
	return line
}

func (w *Writer) sampleLine(e *event.CPUSample) sampleLine {
	line := sampleLine{Type: "sample", Time: e.Time, CPU: e.CPU, Window: e.Window, Late: e.Late, At: w.interrupted(&e.At), Cgroup: e.Cgroup}
	if e.PendingKnown {
		line.Pending = &e.Pending
	}
	if s := e.Syscall; s != nil {
		line.Syscall = (*syscallLine)(s)
	}
	if stack := w.stack(e.Stack); stack >= 0 {
		line.Stack = &stack
	}
	for _, f := range e.User[:min(len(e.User), maxFrames)] {
		line.User = append(line.User, userFrameLine{f.Addr, f.Symbol, f.Offset, f.Module})
	}
	return line
}

func newPacketLine(p *event.Packet) packetLine {
	line := packetLine{
		Version: p.Version, Protocol: p.Protocol, TTL: p.TTL, Fragment: p.Fragment,
		SrcPort: p.SrcPort, DstPort: p.DstPort, TCPFlags: p.TCPFlags,
	}
	if p.HasVLAN {
		line.VLAN = &p.VLAN
	}
	if p.HasInner {
		line.Inner = &p.Inner
	}
	if p.Version != 0 {
		line.Src, line.Dst = p.Src.String(), p.Dst.String()
	}
	if p.HasICMP {
		line.ICMPType, line.ICMPCode = &p.ICMPType, p.ICMPCode
	}
	if p.IsEcho() {
		line.EchoID, line.EchoSeq = &p.EchoID, p.EchoSeq
	}
	return line
}
