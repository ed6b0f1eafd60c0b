// SPDX-License-Identifier: Apache-2.0

package event

import (
	"fmt"
	"strconv"
	"strings"
)

// Task is the task a CPU was running. In softirq context it is the interrupted
// one and has no more to do with the packet than that.
type Task struct {
	PID    uint32 // the thread, as the kernel numbers it
	TGID   uint32 // its process
	Comm   string // see Text
	Cgroup uint64 // id in the cgroup v2 hierarchy
}

// Context is what the CPU was doing when a packet was dropped.
type Context uint8

// The contexts. Idle is a softirq that interrupted the idle task.
const (
	ContextUnknown Context = iota
	ContextProcess
	ContextSoftirq
	ContextKsoftirqd
	ContextHardirq
	ContextIdle
)

var contextNames = [...]string{"unknown", "process", "softirq", "ksoftirqd", "hardirq", "idle"}

func (c Context) String() string { return nameOf(contextNames[:], c) }

// MarshalText spells the context as in recordings.
func (c Context) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is the reverse of MarshalText.
func (c *Context) UnmarshalText(text []byte) (err error) {
	*c, err = valueOf[Context](contextNames[:], "context", text)
	return err
}

// nameOf returns the name of a value, or its number if it has none.
func nameOf[V ~uint8](names []string, value V) string {
	if int(value) < len(names) {
		return names[value]
	}
	return strconv.Itoa(int(value))
}

// valueOf returns the value with a name; kind says in the error what it is of.
func valueOf[V ~uint8](names []string, kind string, text []byte) (V, error) {
	for i, name := range names {
		if name == string(text) {
			return V(i), nil
		}
	}
	return 0, fmt.Errorf("unknown %s %q", kind, text)
}

// Bits of preempt_count, include/linux/preempt.h; the same since 2.6. Those of softirqs
// are the task's where PREEMPT_RT keeps them there: programs put the two together.
const (
	softirqServing = 1 << 8
	hardirqMask    = 0xf << 16
	nmiMask        = 0xf << 20
)

// ContextOf tells the context from preempt_count and the task that was running.
func ContextOf(preemptCount uint32, task Task, kthread bool) Context {
	switch {
	case preemptCount&(hardirqMask|nmiMask) != 0:
		return ContextHardirq
	case preemptCount&softirqServing == 0:
		return ContextProcess
	case task.PID == 0:
		return ContextIdle
	case kthread && strings.HasPrefix(task.Comm, "ksoftirqd/"):
		return ContextKsoftirqd
	}
	return ContextSoftirq
}
