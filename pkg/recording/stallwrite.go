// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"encoding/json"

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
		w.packet(packetLine{
			Type: "late", Time: e.Time, CPU: e.CPU, Window: e.Window, Queued: e.Queued, Len: e.Len,
			Device: e.Device.Name, Ifindex: e.Device.Index, Netns: e.Netns.Inode, NetnsName: e.Netns.Name,
		}, &e.Packet)
	case *event.Echo:
		w.packet(packetLine{
			Type: "echo", Time: e.Time, CPU: e.CPU, Queued: e.Queued, Context: e.Context, Task: newTaskLine(e.Task),
		}, &e.Packet)
	}
}

// packet writes a line and what the headers of its packet say.
func (w *Writer) packet(line packetLine, p *event.Packet) {
	text, err := json.Marshal(line)
	w.fail(err)
	w.line = append(w.line[:0], bytes.TrimSuffix(text, []byte("}"))...)
	w.line = append(appendPacket(w.line, p), "}\n"...)
	w.put()
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
