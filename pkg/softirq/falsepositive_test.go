// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// told is what a test of a wrong verdict looks at.
type told struct {
	Verdict    stall.Verdict
	Start, End time.Duration
	Comm       string // of the culprit
	Confidence stall.Confidence
	Bound      bool
}

func tell(s *stall.Stall) *told {
	if s == nil {
		return nil
	}
	t := &told{Verdict: s.Verdict, Start: s.Start, End: s.End, Confidence: s.Confidence, Bound: s.Bound}
	if s.Culprit != nil {
		t.Comm = s.Culprit.Comm
	}
	return t
}

// plain is a window in which a task runs with bottom halves on, as seen by samples.
func plain(from, till float64, pending uint32, packets ...event.LatePacket) scene {
	w := raised(from, till, interrupted(builder, 0x10000))
	s := scene{window: w, samples: sampled(w, from+4, min(100, int(till-from)/4-1), event.CPUSample{At: interrupted(builder, 0x10000)})}
	for i := range s.samples {
		s.samples[i].Pending = pending
	}
	for _, p := range packets {
		p.CPU, p.Window = w.CPU, w.Start
		s.packets = append(s.packets, p)
	}
	w.Late = uint64(len(packets))
	return s
}

// change returns a scene with a changed window.
func change(s scene, f func(*event.Window)) scene {
	f(s.window)
	return s
}

var cpu1 = &event.Window{CPU: 1}

func TestFalsePositives(t *testing.T) {
	unknown := func(at float64) event.LatePacket { return packet(cpu1, 0, at) }
	late := &event.Blocked{From: ms(100), Till: ms(149.9), Late: true, Function: frame("tick_nohz_handler")}
	wakeup := &event.Blocked{From: ms(100), Till: ms(149.9), Late: true, Function: frame("hrtimer_wakeup")}
	short := &event.Blocked{From: ms(144), Till: ms(149.9), Late: true, Function: frame("hrtimer_wakeup")}
	lateSample := func(s scene, lateness ...float64) scene {
		for _, late := range lateness {
			sample := sampled(s.window, 149.9, 1, event.CPUSample{At: interrupted(builder, 0x10000), Late: ms(late)})
			s.samples = append(s.samples, sample...)
		}
		return s
	}
	suspended := &event.Blocked{From: ms(-8 * 3600e3), Till: ms(149.9), Late: true}
	contradicted := irqOffScene()
	contradicted.samples = append(sampled(contradicted.window, 225, 1, event.CPUSample{At: interrupted(builder, 0x10000)}), contradicted.samples...)
	inThread := plain(100, 150, 1<<kernel.NetRXSoftirq, packet(cpu1, 100, 150.1))
	inProcess := plain(100, 150, 1<<kernel.NetRXSoftirq, packet(cpu1, 100, 150.1))
	for _, s := range []scene{inThread, inProcess} {
		for i := range s.samples {
			s.samples[i].At = interrupted(napi, 0x10200)
		}
		s.window.At = interrupted(napi, 0x10200)
	}
	for i := range inThread.samples {
		inThread.samples[i].At.Kthread = true
	}
	inThread.window.At.Kthread = true
	for name, test := range map[string]struct {
		scene scene
		want  *told
		stats Stats // Windows aside
	}{
		"stale raise after attach": {
			plain(100, 150, 1<<kernel.TimerSoftirq, unknown(150.1)), nil, Stats{Stale: 1},
		},
		"stale raise after attach, then a real one": {
			change(plain(100, 150, 1<<kernel.NetRXSoftirq, unknown(150.1)), func(w *event.Window) {
				w.Start, w.Raised = ms(-5000), ms(-5000)
				w.Edges = []event.Edge{vectorEdge(100, event.EdgeRaise, kernel.NetRXSoftirq)}
			}).pendingFrom(100),
			&told{stall.CPUContention, ms(100), ms(150), "cc1", stall.High, false}, Stats{Stalls: 1},
		},
		"lost edges": {
			change(plain(100, 150, 1<<kernel.NetRXSoftirq, unknown(150.1)), func(w *event.Window) {
				w.Edges, w.EdgesLost = []event.Edge{switchEdge(101, spinner, 0, 120)}, 9
			}).only(1),
			&told{stall.Unexplained, ms(100), ms(150), "", stall.Low, false}, Stats{Stalls: 1},
		},
		"a missed switch": {
			change(plain(100, 130, 1<<kernel.NetRXSoftirq, unknown(130.1)), func(w *event.Window) { w.At = interrupted(spinner, 0) }).only(1),
			&told{stall.Unexplained, ms(100), ms(130), "", stall.Low, false}, Stats{Stalls: 1},
		},
		"lost samples": {
			change(plain(100, 150, 1<<kernel.NetRXSoftirq, unknown(150.1)), func(w *event.Window) { w.Ticks = 12 }).only(1),
			&told{stall.Unexplained, ms(100), ms(150), "", stall.Low, false}, Stats{Stalls: 1},
		},
		"CPU hotplug": {
			plain(100, 3600e3, 0, unknown(3600e3)).only(0), nil, Stats{Stale: 1},
		},
		"CPU hotplug, nothing samples": {
			change(plain(100, 3600e3, 0, unknown(3600e3)).only(0), func(w *event.Window) { w.Period = 0 }), nil, Stats{Stale: 1},
		},
		"CPU hotplug of an idle CPU": {
			change(plain(100, 3600e3, 0, unknown(3600e3)).only(0), func(w *event.Window) { w.At = interrupted(idleTask, 0) }), nil, Stats{Stale: 1},
		},
		"CPU hotplug, the packet says when it came": {
			plain(100, 3600e3, 0, packet(cpu1, 3600e3-0.1, 3600e3+0.1)).only(0), nil, Stats{Short: 1},
		},
		"coalesced raises": {
			change(plain(100, 150, 1<<kernel.NetRXSoftirq, unknown(150.1)), func(w *event.Window) {
				for _, at := range []float64{100, 110, 120, 149} {
					w.Edges = append(w.Edges, vectorEdge(at, event.EdgeRaise, kernel.NetRXSoftirq))
				}
			}),
			&told{stall.CPUContention, ms(100), ms(150), "cc1", stall.High, false}, Stats{Stalls: 1},
		},
		"coalesced raises, the packet came with the last": {
			change(plain(100, 150, 1<<kernel.NetRXSoftirq, packet(cpu1, 149, 150.1)), func(w *event.Window) {
				w.Edges = []event.Edge{vectorEdge(149, event.EdgeRaise, kernel.NetRXSoftirq)}
			}), nil, Stats{Short: 1},
		},
		"a raise in process context only wakes ksoftirqd": {
			change(plain(100, 108, 0).only(0), func(w *event.Window) {
				w.At, w.Edges, w.Polls = interrupted(builder, 0), []event.Edge{wakeEdge(100, ksoftirq1)}, event.Polls{}
			}), nil, Stats{Empty: 1},
		},
		"a raise in process context only wakes ksoftirqd, a packet came": {
			change(plain(100, 108, 1<<kernel.NetRXSoftirq, unknown(108.1)), func(w *event.Window) {
				w.At, w.Edges = interrupted(builder, 0), []event.Edge{wakeEdge(100, ksoftirq1)}
			}),
			&told{stall.TickDeferral, ms(100), ms(108), "cc1", stall.Medium, false}, Stats{Stalls: 1},
		},
		"ksoftirqd was woken for another vector": {
			change(plain(100, 150, 0), func(w *event.Window) {
				w.Waiter, w.ThreadPID, w.Edges = event.WaiterThread, ksoftirq1.PID, []event.Edge{wakeEdge(100, ksoftirq1)}
			}), nil, Stats{Empty: 1},
		},
		"idle exit": {
			idleScene(100, 8), &told{stall.IdleExit, ms(100), ms(108), "", stall.Low, false}, Stats{Stalls: 1},
		},
		"idle, but for too long": {
			idleScene(100, 30), &told{stall.Unexplained, ms(100), ms(130), "", stall.Low, false}, Stats{Stalls: 1},
		},
		"a late timer of a CPU that sleeps": {
			change(idleScene(100, 10), func(w *event.Window) {
				w.Raised, w.Blocked = ms(109.9), &event.Blocked{From: ms(100), Till: ms(109.8), Late: true}
			}), &told{stall.IdleExit, ms(100), ms(110), "", stall.Low, false}, Stats{Stalls: 1},
		},
		"suspend": {
			change(plain(149.95, 150, 0, unknown(150.1)).only(0), func(w *event.Window) {
				w.Start, w.Blocked = ms(-8*3600e3), suspended
			}), nil, Stats{Short: 1},
		},
		"re-raise within net_rx_action": {
			change(plain(100, 110, 1<<kernel.NetRXSoftirq, unknown(110.1)), func(w *event.Window) {
				w.At = inVector(builder, kernel.NetRXSoftirq, 99)
				w.Edges = []event.Edge{vectorEdge(109, event.EdgeSoftirqExit, kernel.NetRXSoftirq)}
			}).only(0), nil, Stats{Stale: 1},
		},
		"a timer started when its time was past": {
			lateSample(change(plain(149.95, 150, 0, unknown(150.1)).only(0), func(w *event.Window) { w.Start, w.Blocked = ms(100), wakeup }), 49.9).under(),
			nil, Stats{Short: 1},
		},
		"a late timer, and another": {
			lateSample(change(plain(149.95, 150, 0, unknown(150.1)).only(0), func(w *event.Window) { w.Start, w.Blocked = ms(100), wakeup }), 49.9, 48).under(),
			&told{stall.IRQOff, ms(100), ms(150), "cc1", stall.Medium, true}, Stats{Stalls: 1},
		},
		"a late timer, less than a tick": {
			lateSample(change(plain(149.95, 150, 0, unknown(150.1)).only(0), func(w *event.Window) { w.Start, w.Blocked = ms(144), short }), 5.9).under(),
			&told{stall.IRQOff, ms(144), ms(150), "cc1", stall.Low, true}, Stats{Stalls: 1},
		},
		"interrupts off, nothing waited": {
			change(plain(149.95, 150, 0).only(0), func(w *event.Window) { w.Start, w.Raised, w.Blocked = ms(100), 0, late }), nil, Stats{Empty: 1},
		},
		"interrupts off, the packet came at the end": {
			change(plain(149.95, 150, 0, packet(cpu1, 149, 150.1)).only(0), func(w *event.Window) { w.Start, w.Blocked = ms(100), late }),
			nil, Stats{Short: 1},
		},
		"interrupts off, a ring does not tell": {
			change(plain(149.95, 150, 0, unknown(150.1)).only(0), func(w *event.Window) { w.Start, w.Blocked = ms(100), late }),
			&told{stall.IRQOff, ms(100), ms(150), "cc1", stall.Medium, true}, Stats{Stalls: 1},
		},
		"interrupts off, a ring does not tell, a queue does": {
			change(plain(149.95, 150, 0, unknown(150.1), packet(cpu1, 149.8, 150.2)).only(0), func(w *event.Window) { w.Start, w.Blocked = ms(100), late }),
			nil, Stats{Short: 1},
		},
		"interrupts were on in between": {
			contradicted, &told{stall.Unexplained, ms(205), ms(240), "", stall.Low, false}, Stats{Stalls: 1},
		},
		"packets came after the entry": {
			plain(100, 150, 1<<kernel.NetRXSoftirq, packet(cpu1, 150.05, 150.1)).only(0), nil, Stats{Empty: 1},
		},
		"a packet taken for one that came long ago": {
			plain(100, 150, 1<<kernel.NetRXSoftirq, packet(cpu1, 20, 150.1)),
			&told{stall.CPUContention, ms(100), ms(150), "cc1", stall.High, false}, Stats{Stalls: 1},
		},
		"a NAPI thread turns bottom halves off": {
			inThread, &told{stall.NetRXSlow, ms(100), ms(150), "napi/veth0-1", stall.High, false}, Stats{Stalls: 1},
		},
		"a process with a NAPI thread's name turns them off": {
			inProcess, &told{stall.BHOff, ms(100), ms(150), "napi/veth0-1", stall.High, false}, Stats{Stalls: 1},
		},
		"a window that contradicts itself": {
			change(plain(100, 150, 0, unknown(150.1)), func(w *event.Window) { w.Served = ms(99) }), nil, Stats{Invalid: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tracker := New(Config{})
			got := tell(test.scene.play(tracker))
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("stall (-want +got):\n%s", d)
			}
			test.stats.Windows = 1
			if d := cmp.Diff(test.stats, tracker.Stats()); d != "" {
				t.Errorf("stats (-want +got):\n%s", d)
			}
		})
	}
}

// only keeps so many samples.
func (s scene) only(n int) scene {
	s.samples = s.samples[:n]
	return s
}

// under moves samples and packets to the window as it was changed.
func (s scene) under() scene {
	for i := range s.samples {
		s.samples[i].Window = s.window.Start
	}
	for i := range s.packets {
		s.packets[i].Window = s.window.Start
	}
	return s
}

// pendingFrom moves samples to the window as it was changed and adds one before a
// time that finds nothing pending.
func (s scene) pendingFrom(at float64) scene {
	idle := s.samples[0]
	idle.Time, idle.Pending = ms(at-1), 0
	s.samples = append([]event.CPUSample{idle}, s.samples...)
	return s.under()
}
