// SPDX-License-Identifier: Apache-2.0

package event

import "testing"

func TestContextOf(t *testing.T) {
	const needResched = 1 << 31 // x86 keeps this bit, inverted, in preempt_count
	for name, test := range map[string]struct {
		count   uint32
		task    Task
		kthread bool
		want    Context
	}{
		"system call":                {1, Task{PID: 9, Comm: "curl"}, false, ContextProcess},
		"bottom halves off":          {0x201, Task{PID: 9, Comm: "curl"}, false, ContextProcess},
		"softirq over a process":     {0x101 | needResched, Task{PID: 9, Comm: "curl"}, false, ContextSoftirq},
		"softirq over idle":          {0x101, Task{}, true, ContextIdle},
		"ksoftirqd":                  {0x101, Task{PID: 15, Comm: "ksoftirqd/1"}, true, ContextKsoftirqd},
		"a process called ksoftirqd": {0x101, Task{PID: 15, Comm: "ksoftirqd/1"}, false, ContextSoftirq},
		"interrupt over a softirq":   {0x10101, Task{PID: 9}, false, ContextHardirq},
		"NMI":                        {0x100001, Task{PID: 9}, false, ContextHardirq},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ContextOf(test.count, test.task, test.kthread); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestContextText(t *testing.T) {
	for c := ContextUnknown; c <= ContextIdle; c++ {
		text, err := c.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back Context
		if err := back.UnmarshalText(text); err != nil || back != c {
			t.Errorf("%s came back as %v, %v", text, back, err)
		}
	}
	var c Context
	if err := c.UnmarshalText([]byte("napping")); err == nil {
		t.Error("an unknown context was taken")
	}
}
