// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// function returns the frame of a number, nil for none.
func (t *tables) function(number *int) (*event.Frame, error) {
	if number == nil {
		return nil, nil
	}
	return look(t.frames, "frame", *number)
}

func (line *taskLine) task() event.Task {
	return event.Task{PID: line.PID, TGID: line.TGID, Comm: event.Printable(line.Comm), Cgroup: line.Cgroup}
}

func (t *tables) interrupted(line *interruptedLine) (at event.Interrupted, err error) {
	if err := checkNames(maxWord, line.Comm, line.Handler); err != nil {
		return at, err
	}
	at = event.Interrupted{
		Task: line.task(), Policy: line.Policy, Priority: line.Priority, Kthread: line.Kthread,
		Vector: -1, VectorSince: line.VectorSince, IRQ: -1, Handler: event.Printable(line.Handler),
		IRQSince: line.IRQSince, TimerSince: line.TimerSince,
	}
	if line.PreemptCount != nil {
		at.PreemptCount, at.CountKnown = *line.PreemptCount, true
	}
	if line.Vector != nil {
		at.Vector = *line.Vector
	}
	if line.IRQ != nil {
		at.IRQ = *line.IRQ
	}
	at.Timer, err = t.function(line.Timer)
	return at, err
}

func (r *Reader) parseWindow(text []byte) (event.Event, error) {
	var line windowLine
	if err := unmarshal(text, &line); err != nil {
		return nil, err
	}
	if err := checkNames(maxWord, line.Polls.Device); err != nil {
		return nil, err
	}
	e := &event.Window{
		CPU: line.CPU, Start: line.Start, Served: line.Served, Done: line.Done,
		Raised: line.Raised, EdgesLost: line.EdgesLost, Ticks: line.Ticks, Period: line.Period,
		Polls: event.Polls(line.Polls), Late: line.Late, Cut: line.Cut, Longest: line.Longest, LongestEnd: line.LongestAt,
		ThreadPID: line.ThreadPID, Woken: line.Woken, Moved: line.Moved,
	}
	if err := e.Waiter.UnmarshalText([]byte(line.Waiter)); err != nil {
		return nil, err
	}
	if line.WaitedCPU != nil {
		e.WaitedCPU = *line.WaitedCPU
	}
	e.Polls.Device = event.Printable(e.Polls.Device)
	if line.Stolen != nil {
		e.Stolen, e.StolenKnown = *line.Stolen, true
	}
	var err error
	if e.At, err = r.interrupted(&line.At); err != nil {
		return nil, err
	}
	if b := line.Blocked; b != nil {
		if err := checkNames(maxWord, b.Handler); err != nil {
			return nil, err
		}
		e.Blocked = &event.Blocked{From: b.From, Till: b.Till, Late: b.Late, Handler: event.Printable(b.Handler)}
		if e.Blocked.Function, err = r.function(b.Function); err != nil {
			return nil, err
		}
	}
	for i := range line.Edges {
		edge, err := r.edge(&line.Edges[i])
		if err != nil {
			return nil, err
		}
		e.Edges = append(e.Edges, edge)
	}
	r.at = max(r.at, e.Done)
	return e, nil
}

func (t *tables) edge(line *edgeLine) (event.Edge, error) {
	if err := checkNames(maxWord, line.Handler); err != nil {
		return event.Edge{}, err
	}
	e := event.Edge{
		Time: line.Time, Vector: line.Vector, IRQ: line.IRQ,
		Handler: event.Printable(line.Handler),
	}
	if err := e.Kind.UnmarshalText([]byte(line.Kind)); err != nil {
		return event.Edge{}, err
	}
	if line.Task != nil {
		if err := checkNames(maxWord, line.Task.Comm); err != nil {
			return e, err
		}
		e.Task = line.Task.task()
		e.Policy, e.Priority, e.Kthread = line.Task.Policy, line.Task.Priority, line.Task.Kthread
	}
	var err error
	e.Function, err = t.function(line.Function)
	return e, err
}

func (r *Reader) parseSample(text []byte) (event.Event, error) {
	var line sampleLine
	if err := unmarshal(text, &line); err != nil {
		return nil, err
	}
	if err := checkNames(maxName, line.Cgroup); err != nil {
		return nil, err
	}
	e := &event.CPUSample{Time: line.Time, CPU: line.CPU, Window: line.Window, Late: line.Late, Cgroup: event.Printable(line.Cgroup)}
	var err error
	if e.At, err = r.interrupted(&line.At); err != nil {
		return nil, err
	}
	if line.Pending != nil {
		e.Pending, e.PendingKnown = *line.Pending, true
	}
	if line.Syscall != nil {
		if err := checkNames(maxName, line.Syscall.Path); err != nil {
			return nil, err
		}
		e.Syscall = (*event.Syscall)(line.Syscall)
		e.Syscall.Path = event.Printable(e.Syscall.Path)
	}
	if line.Stack != nil {
		if e.Stack, err = look(r.stacks, "stack", *line.Stack); err != nil {
			return nil, err
		}
	}
	for _, f := range line.User {
		if err := checkNames(maxName, f.Symbol, f.Module); err != nil {
			return nil, err
		}
		e.User = append(e.User, event.Frame{
			Addr: f.Addr, Symbol: event.Printable(f.Symbol), Offset: f.Offset, Module: event.Printable(f.Module),
		})
	}
	r.at = max(r.at, e.Time)
	return e, nil
}

func (r *Reader) parsePacket(text []byte) (event.Event, error) {
	var line struct {
		packetLine
		packetFields
	}
	if err := unmarshal(text, &line); err != nil {
		return nil, err
	}
	if err := cmp.Or(checkNames(maxWord, line.Device), checkNames(maxSpace, line.NetnsName)); err != nil {
		return nil, err
	}
	var p event.Packet
	if err := line.packet(&p); err != nil {
		return nil, err
	}
	r.at = max(r.at, line.Time)
	if line.Type == "echo" {
		e := &event.Echo{Time: line.Time, CPU: line.CPU, Queued: line.Queued, Context: line.Context, Packet: p}
		if line.Task != nil {
			if err := checkNames(maxWord, line.Task.Comm); err != nil {
				return nil, err
			}
			e.Task = line.Task.task()
		}
		return e, nil
	}
	return &event.LatePacket{
		Time: line.Time, CPU: line.CPU, Window: line.Window, Queued: line.Queued, Packet: p, Len: line.Len,
		Device: event.Device{Index: line.Ifindex, Name: event.Printable(line.Device)},
		Netns:  event.Netns{Inode: line.Netns, Name: event.Printable(line.NetnsName)},
	}, nil
}
