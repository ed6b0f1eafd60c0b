// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// bhOff blames the task that most samples show with bottom halves disabled; without such
// a sample, the task that was interrupted by the raise.
func (j *judgement) bhOff(off []event.CPUSample) candidate {
	pid := j.evidence.window.At.Task.PID
	if len(off) > 0 {
		pid = mostCommon(off, func(s *event.CPUSample) uint32 { return s.At.Task.PID })
	}
	agreeing := ofTask(off, pid)
	return candidate{
		verdict: stall.BHOff, blamed: j.ofTask(pid), culprit: j.taskCulprit(pid, agreeing),
		agreeing: agreeing, stack: true, doubtful: len(off) == 0,
	}
}

// longest blames the task that ran most of the time.
func (j *judgement) longest(verdict stall.Verdict, blamed time.Duration) candidate {
	w, _ := j.largest(j.isTask)
	agreeing := ofTask(j.samples, w.pid)
	return candidate{
		verdict: verdict, blamed: blamed, culprit: j.taskCulprit(w.pid, agreeing),
		agreeing: agreeing, stack: true,
	}
}

// contention blames the task that ran most of the time among real-time or among ordinary
// tasks. Samples of all tasks of that class agree.
func (j *judgement) contention(verdict stall.Verdict, blamed time.Duration) candidate {
	isClass := func(pid uint32) bool {
		return pid != 0 && (kernel.RealTimePolicy(j.sched(pid).policy) != "") == (verdict == stall.RTStarve)
	}
	w, _ := j.largest(func(w activity) bool { return j.isTask(w) && isClass(w.pid) })
	agreeing := filter(j.samples, func(s *event.CPUSample) bool {
		return isClass(s.At.Task.PID) && vectorOf(&s.At) == noVector
	})
	return candidate{
		verdict: verdict, blamed: blamed, culprit: j.taskCulprit(w.pid, ofTask(agreeing, w.pid)),
		agreeing: agreeing, stack: true,
	}
}

// longSyscall blames a task and its system call, and reports whether 80 % of the samples, at
// least two, show both and the task had 80 % of the wait.
func (j *judgement) longSyscall(running []event.CPUSample) (candidate, bool) {
	type call struct {
		pid    uint32
		number int
	}
	in := filter(running, func(s *event.CPUSample) bool {
		return inSyscall(s) && vectorOf(&s.At) == noVector && !isBHOff(s)
	})
	if len(in) == 0 {
		return candidate{}, false
	}
	of := func(s *event.CPUSample) call { return call{s.At.Task.PID, s.Syscall.Number} }
	worst := mostCommon(in, of)
	agreeing, blamed := filter(in, func(s *event.CPUSample) bool { return of(s) == worst }), j.ofTask(worst.pid)
	return candidate{
		verdict: stall.LongSyscall, blamed: blamed, culprit: j.taskCulprit(worst.pid, agreeing), agreeing: agreeing, stack: true,
	}, len(agreeing) >= 2 && 5*len(agreeing) >= 4*len(j.samples) && 5*blamed >= 4*j.account.total
}

// taskCulprit describes a task, and where samples of it were: in a system call, in user
// space, or elsewhere in the kernel.
func (j *judgement) taskCulprit(pid uint32, samples []event.CPUSample) *stall.Culprit {
	s := j.sched(pid)
	c := &stall.Culprit{PID: s.task.TGID, TID: s.task.PID, Comm: s.task.Comm, Cgroup: s.task.Cgroup}
	if c.Policy = kernel.RealTimePolicy(s.policy); c.Policy != "" {
		c.Priority = kernel.UserPriority(s.priority)
	}
	c.Syscall = syscallOf(samples, j.syscalls)
	c.InUser = c.Syscall == nil && inUser(samples)
	for i := range j.samples {
		if g := j.samples[i].Cgroup; g != "" && j.samples[i].At.Task.PID == pid {
			c.CgroupPath = g
			break
		}
	}
	return c
}

// sched is a task with its scheduling policy.
type sched struct {
	task     event.Task
	policy   uint8
	priority int16
	kthread  bool
}

// sched looks a task up in the samples, which have its control group, then at the raise,
// then in the edges.
func (j *judgement) sched(pid uint32) sched {
	for i := range j.samples {
		if at := &j.samples[i].At; at.Task.PID == pid {
			return sched{at.Task, at.Policy, at.Priority, at.Kthread}
		}
	}
	if at := &j.evidence.window.At; at.Task.PID == pid {
		return sched{at.Task, at.Policy, at.Priority, at.Kthread}
	}
	for i := range j.evidence.window.Edges {
		if e := &j.evidence.window.Edges[i]; e.Kind == event.EdgeSwitch && e.Task.PID == pid {
			return sched{e.Task, e.Policy, e.Priority, e.Kthread}
		}
	}
	return sched{}
}

// ofTask returns the time of a task.
func (j *judgement) ofTask(pid uint32) time.Duration {
	return j.account.of(func(w activity) bool { return w.kind == stall.PartTask && w.pid == pid })
}

// ofTask returns the samples of a task.
func ofTask(samples []event.CPUSample, pid uint32) []event.CPUSample {
	return filter(samples, func(s *event.CPUSample) bool { return s.At.Task.PID == pid })
}

// mostCommon returns the key that most samples have; the first of equally common ones.
func mostCommon[K comparable](samples []event.CPUSample, key func(*event.CPUSample) K) (most K) {
	counts := map[K]int{}
	for i := range samples {
		counts[key(&samples[i])]++
	}
	best := 0
	for i := range samples {
		if k := key(&samples[i]); counts[k] > best {
			most, best = k, counts[k]
		}
	}
	return most
}
