// SPDX-License-Identifier: Apache-2.0

package stall

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Stall is a time in which a CPU left packets waiting, and why.
type Stall struct {
	CPU        int  // on which packets, or a thread, waited longest
	Moved      bool // a thread moved on to another CPU,
	RanOn      int  // on which it had its turn
	Waiter     event.Waiter
	Thread     event.Task    // that had to wait, if the waiter is one; PID and Comm alone
	Start, End time.Duration // since Meta.Start
	Bound      bool          // packets may have come later than Start
	Drained    time.Duration // since Meta.Start; when all that had waited was handled

	Verdict    Verdict
	Confidence Confidence
	Culprit    *Culprit // nil if the verdict blames nobody
	Parts      []Part   // of the window, the largest first; they sum to Duration

	// Stack is the most common kernel stack of the samples that agree, from what
	// the sampler interrupted outwards, and of a softirq no further than that. It is
	// nil if none has one, or most were in user space. User goes with it.
	Stack *event.Stack
	User  []event.Frame

	Late      []event.LatePacket // by Time
	LateCount uint64             // packets that waited; as many as were not listed are not in Late
	LateMore  bool               // there may be more: the window ended before all were handled

	// Samples are those in the window, Agreeing those of them that show what the
	// verdict says, Expected how many were due. SamplesLeft were one too many to keep.
	Samples, Agreeing, Expected, SamplesLeft int
	Accounted                                float64 // share of the window
	EdgesLost                                uint32
	Unavailable                              []Source // what this kernel does not tell

	// Deferred says that softirqs were left to ksoftirqd, as kernels before 6.5 and
	// real-time kernels do.
	Deferred  bool
	Polls     event.Polls
	PerPacket time.Duration // mean time to handle a packet, if the verdict is about that

	HintTopic HintTopic // what to look at next
	Hint      string    // the same for people; may be empty
}

// Duration returns how long packets waited, at most if Bound.
func (s *Stall) Duration() time.Duration { return s.End - s.Start }

// Delay returns how long a packet of Late waited until it was handled: exactly, or at
// most if it is not known when it came.
func (s *Stall) Delay(p *event.LatePacket) (delay time.Duration, exact bool) {
	if p.ArrivalKnown() {
		return p.Time - p.Queued, true
	}
	return max(0, p.Time-s.Start), false
}

// Culprit is what held the CPU. Fields that do not apply are zero.
type Culprit struct {
	PID    uint32 // process
	TID    uint32 // thread
	Comm   string // of the thread
	Cgroup uint64 // id in the cgroup v2 hierarchy; 0 if unknown
	// CgroupPath is that of its control group, empty if unknown.
	CgroupPath string

	Syscall  *Syscall // in flight
	InUser   bool     // it was in user space
	Policy   string   // scheduling policy of a real-time task: "SCHED_FIFO"
	Priority int      // of a real-time task, 1 to 99 as chrt shows it

	Softirq  string       // vector: "TIMER"
	IRQ      int32        // of Handler
	Handler  string       // of a hard interrupt
	Function *event.Frame // of a timer or tasklet, or where network work spent its time
	Device   string       // polled
}

// PartKind says what a Part of a window is.
type PartKind string

// The kinds of parts.
const (
	PartTask        PartKind = "task"
	PartHardirq     PartKind = "hardirq"
	PartSoftirq     PartKind = "softirq"
	PartIdle        PartKind = "idle"
	PartStolen      PartKind = "stolen"
	PartIRQsOff     PartKind = "interrupts off"
	PartUnaccounted PartKind = "unaccounted"
)

// Part is how much of a window went to one thing.
type Part struct {
	Kind     PartKind
	Task     event.Task   // of a task: PID, TGID, Comm
	IRQ      int32        // of a hardirq with a Handler
	Handler  string       // of a hardirq
	Softirq  string       // vector of a softirq; empty if unknown
	Function *event.Frame // timer that a hardirq or softirq ran
	Duration time.Duration
	Share    float64 // of the window, 0 to 1
}
