// SPDX-License-Identifier: Apache-2.0

package stall

import (
	"fmt"
	"strings"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

// Sentence returns who waited, how long, and why, in one English sentence. Names from
// outside are escaped, so that it is safe to print to a terminal.
func (s *Stall) Sentence() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s waited ", s.subject())
	if s.Bound || s.Waiter == event.WaiterPackets {
		b.WriteString("up to ")
	}
	b.WriteString(spell(s.longest()))
	switch {
	case s.Verdict == Unexplained:
		b.WriteString("; " + s.unexplained())
	case s.Confidence == Low:
		b.WriteString(", possibly because " + s.because())
	default:
		b.WriteString(" because " + s.because())
	}
	atLeast := ""
	if s.LateMore {
		atLeast = "at least "
	}
	switch {
	case s.LateCount == 1:
		fmt.Fprintf(&b, "; %s1 packet delayed", atLeast)
	case s.LateCount > 1:
		fmt.Fprintf(&b, "; %s%d packets delayed", atLeast, s.LateCount)
	}
	return event.Printable(b.String())
}

// longest returns the longest known wait. Packets behind others may have waited since before
// Start, where the previous stall ended.
func (s *Stall) longest() time.Duration {
	longest := s.Duration()
	if s.Waiter == event.WaiterPackets {
		for i := range s.Late {
			if delay, exact := s.Delay(&s.Late[i]); exact {
				longest = max(longest, delay)
			}
		}
	}
	return longest
}

// subject returns what waited, and on which CPU.
func (s *Stall) subject() string {
	switch {
	case s.Waiter == event.WaiterPackets:
		return fmt.Sprintf("Packets on CPU %d", s.CPU)
	case s.Waiter == event.WaiterThread:
		name := s.Thread.Comm
		if name == "" {
			name = fmt.Sprintf("Network thread %d", s.Thread.PID)
		}
		if s.Moved {
			return fmt.Sprintf("%s on CPU %d, before it ran on CPU %d,", name, s.CPU, s.RanOn)
		}
		return fmt.Sprintf("%s on CPU %d", name, s.CPU)
	}
	return fmt.Sprintf("NET_RX on CPU %d", s.CPU)
}

// unexplained returns why nobody is blamed.
func (s *Stall) unexplained() string {
	if lost := 1 - s.Accounted; lost > 0.3 {
		return fmt.Sprintf("%.0f %% of that is unaccounted for, so nobody is blamed", 100*lost)
	}
	return "what kept it is not known"
}

// because returns the reason, to follow the word because.
func (s *Stall) because() string {
	c := s.Culprit
	if c == nil {
		c = &Culprit{}
	}
	switch s.Verdict {
	case LongSyscall:
		return fmt.Sprintf("%s was in %s and %s", c.task(), c.doing(), s.held())
	case TickDeferral:
		return fmt.Sprintf("no interrupt came before the tick while %s was in %s", c.task(), c.doing())
	case BHOff:
		return fmt.Sprintf("%s was in %s with bottom halves disabled", c.task(), c.doing())
	case IRQOff:
		if c.InUser {
			return fmt.Sprintf("no interrupt came until %s was in user space", c.task())
		}
		return fmt.Sprintf("interrupts were off until they came back on in %s", c.task())
	case HardirqLong:
		return fmt.Sprintf("%s ran for %s", c.handler(), spell(s.spent(PartHardirq)))
	case OtherSoftirq:
		return fmt.Sprintf("%s ran for %s", c.softirq(), spell(s.spent(PartSoftirq)))
	case RTStarve:
		return fmt.Sprintf("real-time task %s, %s, had the CPU", c.task(), c.policy())
	case CPUContention:
		return fmt.Sprintf("other tasks had the CPU: %s", s.tasks())
	case NetRXBudget:
		return fmt.Sprintf("NET_RX used up its budget in %d of %d runs%s", s.Polls.Squeezed, s.Polls.Runs, c.device())
	case NetRXSlow:
		return s.slow(c)
	case Steal:
		return fmt.Sprintf("the hypervisor kept the CPU for at least %s", spell(s.spent(PartStolen)))
	case IdleExit:
		return "the CPU slept and was slow to wake up"
	}
	return "of " + string(s.Verdict)
}

// held returns what a system call did to the thread that waited.
func (s *Stall) held() string {
	if s.Waiter == event.WaiterThread {
		return "did not leave the CPU"
	}
	return fmt.Sprintf("%s%d could not run", kernel.Ksoftirqd, s.CPU)
}

// slow returns where packets took their time, and how long each took.
func (s *Stall) slow(c *Culprit) string {
	where := ""
	if c.Function != nil {
		where = " in " + c.Function.Name()
	}
	if s.PerPacket == 0 {
		return "NET_RX took long" + where + c.device()
	}
	return fmt.Sprintf("NET_RX took %s for a packet%s%s", spell(s.PerPacket), where, c.device())
}

// spell returns a duration rounded to two or three digits.
func spell(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.0f µs", d.Seconds()*1e6)
}
