// SPDX-License-Identifier: Apache-2.0

package stall

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// task returns the culprit's command and process: cadvisor (pid 10436).
func (c *Culprit) task() string {
	comm := c.Comm
	if comm == "" {
		comm = "a task"
	}
	if c.PID == 0 {
		return comm
	}
	return fmt.Sprintf("%s (pid %d)", comm, c.PID)
}

// doing returns where the task was: its system call, user space, or the kernel.
func (c *Culprit) doing() string {
	switch {
	case c.Syscall != nil:
		return c.Syscall.String()
	case c.InUser:
		return "user space"
	}
	return "the kernel"
}

// handler returns the interrupt handler or timer: the handler of interrupt 24 (nvme0q1).
func (c *Culprit) handler() string {
	switch {
	case c.Handler != "" && c.Function != nil:
		return fmt.Sprintf("timer %s in interrupt %d (%s)", c.Function.Name(), c.IRQ, c.Handler)
	case c.Handler != "":
		return fmt.Sprintf("the handler of interrupt %d (%s)", c.IRQ, c.Handler)
	case c.Function != nil:
		return fmt.Sprintf("timer %s", c.Function.Name())
	}
	return "an interrupt's handler"
}

// softirq returns the vector, with its function if known: f in softirq TIMER.
func (c *Culprit) softirq() string {
	vector := "another softirq"
	if c.Softirq != "" {
		vector = "softirq " + c.Softirq
	}
	if c.Function == nil {
		return vector
	}
	return fmt.Sprintf("%s in %s", c.Function.Name(), vector)
}

// device returns the polled device for the end of a sentence: " on eth0", or nothing.
func (c *Culprit) device() string {
	if c.Device == "" {
		return ""
	}
	return " on " + c.Device
}

// spent returns the time of the parts of a kind that are the culprit's.
func (s *Stall) spent(kind PartKind) time.Duration {
	var sum time.Duration
	for i := range s.Parts {
		p := &s.Parts[i]
		if p.Kind != kind {
			continue
		}
		c := s.Culprit
		isBlamed := c == nil || kind == PartSoftirq && p.Softirq == c.Softirq ||
			kind == PartHardirq && p.Handler == c.Handler && p.IRQ == c.IRQ
		if isBlamed {
			sum += p.Duration
		}
	}
	return sum
}

// tasks returns the three processes with the most time, each named by its busiest thread.
func (s *Stall) tasks() string {
	var processes []Part
	for i := range s.Parts {
		p := s.Parts[i]
		if p.Kind != PartTask {
			continue
		}
		known := slices.IndexFunc(processes, func(o Part) bool { return o.Task.TGID == p.Task.TGID })
		if known < 0 {
			processes = append(processes, p)
			continue
		}
		processes[known].Share += p.Share
	}
	slices.SortStableFunc(processes, func(a, b Part) int { return -cmp.Compare(a.Share, b.Share) })
	var list []string
	for i := range processes[:min(3, len(processes))] {
		list = append(list, fmt.Sprintf("%s %.0f %%", processes[i].What(), 100*processes[i].Share))
	}
	return strings.Join(list, ", ")
}

// What returns the name of a part: a task with its process, a handler, a vector with its
// timer, or the kind.
func (p *Part) What() string {
	c := Culprit{PID: p.Task.TGID, Comm: p.Task.Comm, IRQ: p.IRQ, Handler: p.Handler, Softirq: p.Softirq, Function: p.Function}
	switch p.Kind {
	case PartTask:
		return c.task()
	case PartHardirq:
		return c.handler()
	case PartSoftirq:
		return c.softirq()
	}
	return string(p.Kind)
}
