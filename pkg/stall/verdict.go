// SPDX-License-Identifier: Apache-2.0

package stall

// Verdict is the class of what kept NET_RX waiting.
type Verdict string

// The verdicts.
const (
	LongSyscall   Verdict = "LONG_SYSCALL"   // a system call, while softirqs were deferred to a thread
	TickDeferral  Verdict = "TICK_DEFERRAL"  // no interrupt came until the next tick
	BHOff         Verdict = "BH_OFF"         // a task had bottom halves disabled
	IRQOff        Verdict = "IRQ_OFF"        // a task had interrupts disabled
	HardirqLong   Verdict = "HARDIRQ_LONG"   // an interrupt's or a timer's handler
	OtherSoftirq  Verdict = "OTHER_SOFTIRQ"  // a vector other than NET_RX
	RTStarve      Verdict = "RT_STARVE"      // real-time tasks before the network's thread
	CPUContention Verdict = "CPU_CONTENTION" // ordinary tasks before the network's thread
	NetRXBudget   Verdict = "NETRX_BUDGET"   // more packets than the budget of net_rx_action
	NetRXSlow     Verdict = "NETRX_SLOW"     // packets that take long to handle
	Steal         Verdict = "STEAL"          // the hypervisor did not run this CPU
	IdleExit      Verdict = "IDLE_EXIT"      // the CPU slept
	Unexplained   Verdict = "UNEXPLAINED"    // too little is known; nobody is blamed
)

// Confidence is how well the evidence supports a verdict; the comment of pkg/softirq has the
// rules.
type Confidence uint8

// The levels of confidence.
const (
	Low Confidence = iota
	Medium
	High
)

func (c Confidence) String() string { return [...]string{"low", "medium", "high"}[min(c, High)] }

// MarshalText returns the confidence as in JSON: low, medium or high.
func (c Confidence) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Source is evidence that a kernel may lack.
type Source string

// The sources.
const (
	SourceCount   Source = "preempt_count"
	SourcePending Source = "pending softirqs"
	SourceStolen  Source = "stolen time"
)
