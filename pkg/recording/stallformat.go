// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// The lines that tell of stalls, since schema 2. Times are nanoseconds since the
// header's start; frames and stacks are numbers of theirs.
type (
	taskLine struct {
		PID      uint32 `json:"pid"`
		TGID     uint32 `json:"tgid"`
		Comm     string `json:"comm"`
		Cgroup   uint64 `json:"cgroup,omitempty"`
		Policy   uint8  `json:"policy,omitempty"`
		Priority int16  `json:"prio"`
		Kthread  bool   `json:"kthread,omitempty"`
	}

	interruptedLine struct {
		taskLine
		PreemptCount *uint32       `json:"preempt_count,omitempty"`
		Vector       *int8         `json:"vector,omitempty"`
		VectorSince  time.Duration `json:"vector_since_ns,omitempty"`
		IRQ          *int32        `json:"irq,omitempty"`
		Handler      string        `json:"handler,omitempty"`
		IRQSince     time.Duration `json:"irq_since_ns,omitempty"`
		Timer        *int          `json:"timer,omitempty"` // a frame
		TimerSince   time.Duration `json:"timer_since_ns,omitempty"`
	}

	blockedLine struct {
		From     time.Duration `json:"from_ns"`
		Till     time.Duration `json:"till_ns"`
		Late     bool          `json:"late,omitempty"`
		Handler  string        `json:"handler,omitempty"`
		Function *int          `json:"function,omitempty"` // a frame
	}

	edgeLine struct {
		Time     time.Duration `json:"time_ns"`
		Kind     string        `json:"edge"`
		Vector   uint8         `json:"vector,omitempty"`
		IRQ      int32         `json:"irq,omitempty"`
		Handler  string        `json:"handler,omitempty"`
		Function *int          `json:"function,omitempty"` // a frame
		Task     *taskLine     `json:"task,omitempty"`
	}

	pollsLine struct {
		Runs     uint32 `json:"runs"`
		Polls    uint32 `json:"polls"`
		Packets  uint64 `json:"packets"`
		Full     uint32 `json:"full"`
		Squeezed uint32 `json:"squeezed"`
		Device   string `json:"device,omitempty"`
	}

	windowLine struct {
		Type      string                     `json:"type"` // "window"
		CPU       int                        `json:"cpu"`
		Waiter    string                     `json:"waiter"`
		Start     time.Duration              `json:"start_ns"`
		Served    time.Duration              `json:"served_ns"`
		Done      time.Duration              `json:"done_ns"`
		Raised    time.Duration              `json:"raised_ns,omitempty"`
		At        interruptedLine            `json:"at"`
		Blocked   *blockedLine               `json:"blocked,omitempty"`
		Edges     list[edgeLine, edgesBound] `json:"edges"`
		EdgesLost uint32                     `json:"edges_lost,omitempty"`
		Stolen    *time.Duration             `json:"stolen_ns,omitempty"`
		Ticks     uint32                     `json:"ticks"`
		Period    time.Duration              `json:"period_ns"`
		Polls     pollsLine                  `json:"polls"`
		Late      uint64                     `json:"late"`
		Cut       bool                       `json:"cut,omitempty"`            // since schema 4
		Longest   time.Duration              `json:"longest_ns,omitempty"`     // likewise
		LongestAt time.Duration              `json:"longest_end_ns,omitempty"` // likewise
		ThreadPID uint32                     `json:"thread,omitempty"`
		Woken     time.Duration              `json:"woken_ns,omitempty"`   // likewise
		WaitedCPU *int                       `json:"waited_cpu,omitempty"` // likewise, with woken_ns
		Moved     bool                       `json:"moved,omitempty"`      // likewise
	}

	syscallLine struct {
		Number int       `json:"nr"`
		Args   [3]uint64 `json:"args"`
		Path   string    `json:"path,omitempty"`
		Magic  uint32    `json:"magic,omitempty"`
	}

	userFrameLine struct {
		Addr   event.Address `json:"addr"`
		Symbol string        `json:"symbol,omitempty"`
		Offset uint64        `json:"offset,omitempty"`
		Module string        `json:"module,omitempty"`
	}

	sampleLine struct {
		Type    string                           `json:"type"` // "sample"
		Time    time.Duration                    `json:"time_ns"`
		CPU     int                              `json:"cpu"`
		Window  time.Duration                    `json:"window_ns"`
		Late    time.Duration                    `json:"late_ns,omitempty"`
		At      interruptedLine                  `json:"at"`
		Cgroup  string                           `json:"cgroup_path,omitempty"`
		Pending *uint32                          `json:"pending,omitempty"`
		Syscall *syscallLine                     `json:"syscall,omitempty"`
		Stack   *int                             `json:"stack,omitempty"`
		User    list[userFrameLine, framesBound] `json:"user,omitempty"`
	}

	// packetLine is a late packet or an echo, without the headers: those are its packetFields.
	packetLine struct {
		Type      string        `json:"type"` // "late", "echo"
		Time      time.Duration `json:"time_ns"`
		CPU       int           `json:"cpu"`
		Window    time.Duration `json:"window_ns,omitempty"`
		Queued    time.Duration `json:"queued_ns,omitempty"`
		Task      *taskLine     `json:"task,omitempty"`
		Context   event.Context `json:"context,omitempty"`
		Device    string        `json:"device,omitempty"`
		Ifindex   int           `json:"ifindex,omitempty"`
		Netns     uint32        `json:"netns,omitempty"`
		NetnsName string        `json:"netns_name,omitempty"`
		Len       uint32        `json:"len,omitempty"`
	}
)
