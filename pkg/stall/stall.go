// SPDX-License-Identifier: Apache-2.0

package stall

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Stall is a time in which a CPU left packets waiting, and the reason.
type Stall struct {
	CPU        int  // on which packets or the thread waited longest
	Moved      bool // the thread ran on another CPU,
	RanOn      int  // which is this one
	Waiter     event.Waiter
	Thread     event.Task    // that waited, if Waiter is WaiterThread: PID, TGID and Comm
	Start, End time.Duration // since Meta.Start
	Bound      bool          // packets may have arrived later than Start
	Drained    time.Duration // since Meta.Start; when all packets that waited were handled

	Verdict    Verdict
	Confidence Confidence
	Culprit    *Culprit // nil if the verdict blames nobody
	Parts      []Part   // of the window, the largest first; they sum to Duration

	// Stack is the most common kernel stack of the agreeing samples, without the frames
	// of the sampler and, in a softirq, without those it interrupted. It is nil if no
	// sample has a stack or most were in user space. User is the user stack with it,
	// innermost first.
	Stack *event.Stack
	User  []event.Frame

	Late      []event.LatePacket // by Time
	LateCount uint64             // packets that waited, listed in Late or not
	LateMore  bool               // LateCount is a lower bound: the window ended before all were handled

	// Samples is the number of samples in the stall, Agreeing how many of them support
	// the verdict, Expected how many were due, SamplesLeft how many were above the limit.
	Samples, Agreeing, Expected, SamplesLeft int
	Accounted                                float64 // share of the window
	EdgesLost                                uint32
	Unavailable                              []Source // sources that this kernel lacks

	// Deferred reports that softirqs were deferred to ksoftirqd, as on kernels before 6.5
	// and on PREEMPT_RT.
	Deferred  bool
	Polls     event.Polls
	PerPacket time.Duration // mean time to handle a packet; of NETRX_SLOW and NETRX_BUDGET

	HintTopic HintTopic // what to look at next
	Hint      string    // the same in English; may be empty
}

// Duration returns how long packets waited; an upper bound if Bound is set.
func (s *Stall) Duration() time.Duration { return s.End - s.Start }

// Delay returns how long a packet of Late waited until it was handled. It is an upper bound
// and not exact if the arrival is unknown.
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
	// CgroupPath is the path of its control group, empty if unknown.
	CgroupPath string

	Syscall  *Syscall // in flight
	InUser   bool     // most samples are in user space
	Policy   string   // scheduling policy of a real-time task: "SCHED_FIFO"
	Priority int      // of a real-time task, 1 to 99 as chrt shows it

	Softirq  string       // vector: "TIMER"
	IRQ      int32        // of Handler
	Handler  string       // of a hard interrupt
	Function *event.Frame // of a timer or tasklet, or where network work spent its time
	Device   string       // polled
}

// PartKind is the kind of activity that a Part went to.
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

// Part is how much of a stall went to one activity.
type Part struct {
	Kind     PartKind
	Task     event.Task   // of a task: PID, TGID, Comm
	IRQ      int32        // of a hardirq with a Handler
	Handler  string       // of a hardirq
	Softirq  string       // vector of a softirq; empty if unknown
	Function *event.Frame // timer that a hardirq or softirq ran
	Duration time.Duration
	Share    float64 // of the stall, 0 to 1
}
