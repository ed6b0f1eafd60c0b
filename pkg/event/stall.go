// SPDX-License-Identifier: Apache-2.0

package event

import "time"

// Window is what one CPU did while network work waited on it for longer than the
// threshold, or took that long itself. It comes after the CPUSamples and
// LatePackets that belong to it, which have its CPU and its Start as their Window.
type Window struct {
	CPU    int
	Waiter Waiter
	// Start is since when the CPU was kept from network work, by the earliest
	// evidence: the first raise, or what kept that from coming. Served is when
	// the work began, Done when all that had waited was handled.
	Start, Served, Done time.Duration // since Meta.Start
	// Raised is the first raise of NET_RX that was not served at once, or when the
	// thread began to wait on this CPU; 0 if work was never seen to be pending.
	Raised time.Duration
	// Woken is when the thread began to wait, on any CPU: the wake-up, or the end of a
	// turn in which it was not done. It is before Raised if the thread moved meanwhile,
	// and 0 if it is not known. WaitedCPU is then the CPU on which it waited longest.
	Woken     time.Duration
	WaitedCPU int
	// Moved says that the thread was given to another CPU at Served, where it waits on: a
	// window with the same ThreadPID and Woken follows.
	Moved bool
	// At the raise, or if there was none when the work began: what the CPU was in the
	// middle of. Of packets, when it was noticed that they waited.
	At Interrupted
	// Blocked is what is known to have kept interrupts off the CPU, if anything.
	Blocked *Blocked
	// Edges are in the order in which they were seen, from the raise on. EdgesLost
	// were one too many.
	Edges     []Edge
	EdgesLost uint32
	// Stolen is the time that the hypervisor kept for itself, StolenKnown whether
	// this kernel tells.
	Stolen      time.Duration
	StolenKnown bool
	// Ticks is how many samples were taken or tried in the window. Period is the time
	// between two ticks, 0 if it is not known.
	Ticks  uint32
	Period time.Duration
	Polls  Polls
	// Late is how many packets had waited for the threshold, or may have, as nobody saw
	// them come; those past the room for LatePackets too. Cut says that the window ended
	// before all that had waited was handled, so that there may be more.
	Late uint64
	Cut  bool
	// Longest is the longest wait of a packet that was seen to come, 0 if none was, and
	// LongestEnd when that packet was handled.
	Longest, LongestEnd time.Duration
	// ThreadPID is the waiter's, if it is a thread.
	ThreadPID uint32
}

// Waiter is what had to wait.
type Waiter uint8

// The waiters.
const (
	WaiterSoftirq Waiter = iota // NET_RX, from its raise to its entry
	WaiterThread                // a NAPI or ksoftirqd thread, from its wake-up to its turn
	WaiterPackets               // packets, behind others that were handled slowly
)

var waiterNames = [...]string{"softirq", "thread", "packets"}

func (w Waiter) String() string { return nameOf(waiterNames[:], w) }

// MarshalText spells the waiter as in recordings.
func (w Waiter) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText is the reverse of MarshalText.
func (w *Waiter) UnmarshalText(text []byte) (err error) {
	*w, err = valueOf[Waiter](waiterNames[:], "waiter", text)
	return err
}

// Interrupted is what a CPU was in the middle of.
type Interrupted struct {
	Task         Task
	Policy       uint8 // scheduling policy, SCHED_NORMAL 0, SCHED_FIFO 1, …
	Priority     int16 // the kernel's: 0 to 98 real-time, 100 to 139 ordinary, -1 deadline
	Kthread      bool
	PreemptCount uint32
	CountKnown   bool          // PreemptCount is valid
	Vector       int8          // softirq being served, -1 for none
	VectorSince  time.Duration // its entry
	IRQ          int32         // interrupt being handled, -1 for none known
	Handler      string        // its name
	IRQSince     time.Duration
	Timer        *Frame // timer function that runs, nil for none
	TimerSince   time.Duration
}

// Blocked is evidence that a CPU took no interrupts.
type Blocked struct {
	From, Till time.Duration // since Meta.Start
	// A timer that expired late (Function is the timer's), or a handler that ran
	// long: that of an interrupt (Handler) or of a timer (Function).
	Late     bool
	Handler  string
	Function *Frame
}

// Polls is what net_rx_action did in a window.
type Polls struct {
	Runs     uint32 // of the softirq
	Polls    uint32 // of devices
	Packets  uint64
	Full     uint32 // polls that used up their budget
	Squeezed uint32 // runs that ended with work left
	Device   string // that was polled last
}

// EdgeKind says what an Edge is.
type EdgeKind uint8

// The kinds of edges.
const (
	EdgeRaise        EdgeKind = iota // of softirq Vector
	EdgeSoftirqEntry                 // Vector
	EdgeSoftirqExit                  // Vector
	EdgeIRQEntry                     // IRQ, Handler
	EdgeIRQExit
	EdgeTimerEntry // Function, in hard or softirq context
	EdgeTimerExit
	EdgeSwitch // to Task
	EdgeWake   // of Task, a NAPI or ksoftirqd thread of this CPU
)

var edgeNames = [...]string{
	"raise", "softirq_entry", "softirq_exit", "irq_entry", "irq_exit", "timer_entry", "timer_exit", "switch", "wake",
}

func (k EdgeKind) String() string { return nameOf(edgeNames[:], k) }

// MarshalText spells the kind as in recordings.
func (k EdgeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the reverse of MarshalText.
func (k *EdgeKind) UnmarshalText(text []byte) (err error) {
	*k, err = valueOf[EdgeKind](edgeNames[:], "edge", text)
	return err
}

// Edge is a change in what a CPU does.
type Edge struct {
	Time     time.Duration // since Meta.Start
	Kind     EdgeKind
	Vector   uint8
	IRQ      int32
	Handler  string
	Function *Frame
	Task     Task // PID, TGID and Comm alone
	Policy   uint8
	Priority int16
	Kthread  bool
}

// CPUSample is what a CPU was doing at a timer tick while network work waited.
type CPUSample struct {
	Time   time.Duration // since Meta.Start
	CPU    int
	Window time.Duration // Start of the window it belongs to
	Late   time.Duration // how late the tick itself was, if that is why it was taken
	At     Interrupted
	// Cgroup is the path of the task's control group, in version 1 of the hierarchy where
	// that limits tasks, else in version 2; empty if not known for sure.
	Cgroup string
	// Pending is the CPU's softirq mask, if PendingKnown.
	Pending      uint32
	PendingKnown bool
	Syscall      *Syscall // in flight, nil if none or not known
	Stack        *Stack   // of the kernel, from what the tick interrupted outwards
	User         []Frame  // of user space, innermost first
}

// Syscall is a system call in flight.
type Syscall struct {
	Number int
	Args   [3]uint64
	Path   string // of the file behind the first argument, if it is a descriptor
	Magic  uint32 // of that file's file system
}

// LatePacket is a packet that waited in a window.
type LatePacket struct {
	Time   time.Duration // when it was handled, since Meta.Start
	CPU    int
	Window time.Duration // Start of the window it belongs to
	Queued time.Duration // when it came, since Meta.Start; 0: not known
	Device Device
	Netns  Netns
	Packet Packet
	Len    uint32
}

// ArrivalKnown reports whether Queued is known and no later than Time.
func (p *LatePacket) ArrivalKnown() bool { return p.Queued != 0 && p.Queued <= p.Time }

// Echo is an ICMP echo request as the kernel was about to answer it.
type Echo struct {
	Time    time.Duration // since Meta.Start
	CPU     int
	Queued  time.Duration // when it came, since Meta.Start; 0: not known
	Task    Task          // interrupted
	Context Context
	Packet  Packet
}

// StallLoss says what became of what the kernel told about stalls.
type StallLoss struct {
	Submitted   uint64 `json:"submitted"`    // records submitted to the ring buffer
	Read        uint64 `json:"read"`         // records read from it
	RingFull    uint64 `json:"ring_full"`    // records the ring buffer had no room for
	StackFailed uint64 `json:"stack_failed"` // samples whose stack could not be unwound
	Malformed   uint64 `json:"malformed"`    // records that could not be decoded

	Paused time.Duration `json:"paused_ns"` // nobody watched, as the machine was too busy
}

// SoftirqTimes are histograms of one CPU: bucket n counts 2^n to 2^(n+1) ns, the last
// everything above too.
type SoftirqTimes struct {
	CPU         int
	Waits       [32]uint64 // of NET_RX, from its raise to its entry
	Runs        [32]uint64 // from its entry to its exit
	BudgetEnded uint64     // runs that ended with work left
}

func (*Window) event()     {}
func (*CPUSample) event()  {}
func (*LatePacket) event() {}
func (*Echo) event()       {}

// SamplerDelay returns for how long network work must be pending until what a CPU does
// is sampled, for a recorder's threshold: half of it, and 2 ms at most.
func SamplerDelay(threshold time.Duration) time.Duration {
	return min(threshold/2, 2*time.Millisecond)
}
