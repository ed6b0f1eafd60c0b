// SPDX-License-Identifier: Apache-2.0

package stall

import (
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

func TestSpell(t *testing.T) {
	for d, want := range map[float64]string{0.0124: "12 µs", 0.4: "400 µs", 7: "7.0 ms", 99.4: "99 ms", 1500: "1.5 s", 20000: "20 s"} {
		if got := spell(time.Duration(d * 1e6)); got != want {
			t.Errorf("spell(%v ms) = %q, want %q", d, got, want)
		}
	}
}

func TestWhat(t *testing.T) {
	for want, p := range map[string]Part{
		"cc1 (pid 70)":                         {Kind: PartTask, Task: event.Task{PID: 70, TGID: 70, Comm: "cc1"}},
		"the handler of interrupt 24 (eth0)":   {Kind: PartHardirq, IRQ: 24, Handler: "eth0"},
		"timer f in interrupt 10 (arch_timer)": {Kind: PartHardirq, IRQ: 10, Handler: "arch_timer", Function: &event.Frame{Symbol: "f"}},
		"timer f":                              {Kind: PartHardirq, Function: &event.Frame{Symbol: "f"}},
		"f in softirq TIMER":                   {Kind: PartSoftirq, Softirq: "TIMER", Function: &event.Frame{Symbol: "f"}},
		"another softirq":                      {Kind: PartSoftirq},
		"idle":                                 {Kind: PartIdle},
		"interrupts off":                       {Kind: PartIRQsOff},
	} {
		if got := p.What(); got != want {
			t.Errorf("%+v is %q, want %q", p, got, want)
		}
	}
}
