// SPDX-License-Identifier: Apache-2.0

package event

import (
	"fmt"
	"strconv"

	"github.com/dropwatch/dropwatch/pkg/kernel"
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

// ContextOf tells the context from preempt_count and the task that was running.
func ContextOf(preemptCount uint32, task Task, kthread bool) Context {
	switch {
	case preemptCount&(kernel.HardirqMask|kernel.NMIMask) != 0:
		return ContextHardirq
	case preemptCount&kernel.SoftirqServing == 0:
		return ContextProcess
	case task.PID == 0:
		return ContextIdle
	case kernel.IsKsoftirqd(task.Comm, kthread):
		return ContextKsoftirqd
	}
	return ContextSoftirq
}
