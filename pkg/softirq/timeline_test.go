// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// TestTimeline cuts windows from 100 to 150 ms. No sampler is due.
func TestTimeline(t *testing.T) {
	hardirq := func(handler string) stall.Part { return stall.Part{Kind: stall.PartHardirq, IRQ: 24, Handler: handler} }
	soft := stall.Part{Kind: stall.PartSoftirq, Softirq: "TIMER"}
	inF, hardG := soft, stall.Part{Kind: stall.PartHardirq, Function: frame("g")}
	inF.Function = frame("f")
	during := interrupted(builder, 0x10101)
	during.Vector, during.VectorSince, during.IRQ, during.Handler, during.IRQSince = kernel.TimerSoftirq, ms(80), 24, "eth0", ms(99)
	during.Timer, during.TimerSince = frame("f"), ms(90)
	for name, test := range map[string]struct {
		at    event.Interrupted
		edges []event.Edge
		start float64 // of the window
		want  []stall.Part
	}{
		"nothing happens": {want: []stall.Part{taskPart(builder, 50, 50)}},
		"interrupts, one after the other": {
			edges: []event.Edge{
				irqEdge(110, 24, "a"), edge(112, event.EdgeIRQExit), irqEdge(112, 24, "b"), edge(116, event.EdgeIRQExit),
			},
			want: []stall.Part{taskPart(builder, 44, 50), part(hardirq("b"), 4, 50), part(hardirq("a"), 2, 50)},
		},
		"a timer in an interrupt in a timer in a softirq": {
			edges: []event.Edge{
				vectorEdge(110, event.EdgeSoftirqEntry, kernel.TimerSoftirq), timerEdge(111, "f"), irqEdge(115, 24, "arch_timer"), timerEdge(116, "g"),
				edge(119, event.EdgeTimerExit), edge(120, event.EdgeIRQExit), edge(130, event.EdgeTimerExit),
				vectorEdge(131, event.EdgeSoftirqExit, kernel.TimerSoftirq),
			},
			want: []stall.Part{
				taskPart(builder, 29, 50), part(inF, 14, 50),
				part(stall.Part{Kind: stall.PartHardirq, IRQ: 24, Handler: "arch_timer", Function: frame("g")}, 3, 50),
				part(hardirq("arch_timer"), 2, 50), part(soft, 2, 50),
			},
		},
		"a timer on top of a timer is a hard one": {
			edges: []event.Edge{
				vectorEdge(110, event.EdgeSoftirqEntry, kernel.TimerSoftirq), timerEdge(110, "f"), timerEdge(112, "g"), edge(115, event.EdgeTimerExit),
				edge(120, event.EdgeTimerExit), vectorEdge(120, event.EdgeSoftirqExit, kernel.TimerSoftirq),
			},
			want: []stall.Part{taskPart(builder, 40, 50), part(inF, 7, 50), part(hardG, 3, 50)},
		},
		"an exit is missing": {
			edges: []event.Edge{
				irqEdge(110, 24, "a"), vectorEdge(112, event.EdgeSoftirqEntry, kernel.TimerSoftirq), timerEdge(112, "f"), switchEdge(120, spinner, 0, 120),
			},
			want: []stall.Part{taskPart(spinner, 30, 50), taskPart(builder, 10, 50), part(inF, 8, 50), part(hardirq("a"), 2, 50)},
		},
		"edges out of order": {
			edges: []event.Edge{switchEdge(120, spinner, 0, 120), switchEdge(110, idleTask, 0, 120), switchEdge(130, spinner, 0, 120)},
			want:  []stall.Part{taskPart(builder, 20, 50), taskPart(spinner, 20, 50), part(stall.Part{Kind: stall.PartIdle}, 10, 50)},
		},
		"edges outside of the window": {
			edges: []event.Edge{switchEdge(90, spinner, 0, 120), switchEdge(170, idleTask, 0, 120)},
			want:  []stall.Part{taskPart(spinner, 50, 50)},
		},
		"what went on at the raise, and since when": {
			at: during, start: 70,
			edges: []event.Edge{edge(101, event.EdgeIRQExit), edge(102, event.EdgeTimerExit), vectorEdge(103, event.EdgeSoftirqExit, kernel.TimerSoftirq)},
			want: []stall.Part{
				taskPart(builder, 47, 80), part(soft, 11, 80), part(inF, 10, 80), part(stall.Part{Kind: stall.PartUnaccounted}, 10, 80),
				part(hardirq("eth0"), 2, 80),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.at == (event.Interrupted{}) {
				test.at = interrupted(builder, 0x10000)
			}
			w := raised(100, 150, test.at)
			w.Period, w.Edges = 0, test.edges
			s := scene{window: w, packets: []event.LatePacket{packet(w, 100, 150.1)}}
			if test.start != 0 {
				w.Start = ms(test.start)
				w.Blocked = &event.Blocked{From: ms(test.start), Till: ms(test.start), Late: true} // no more than a claim
				s.packets[0] = packet(w, test.start, 150.1)
			}
			got := s.play(New(Config{}))
			check(t, got)
			if d := diff(&stall.Stall{Parts: test.want}, &stall.Stall{Parts: got.Parts}); d != "" {
				t.Errorf("parts (-want +got):\n%s", d)
			}
		})
	}
}
