// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

func TestConfidence(t *testing.T) {
	each := func(s scene, f func(i int, sample *event.CPUSample)) scene {
		for i := range s.samples {
			f(i, &s.samples[i])
		}
		return s
	}
	for name, test := range map[string]struct {
		scene   scene
		verdict stall.Verdict
		want    stall.Confidence
		missing []stall.Source
	}{
		"all is known": {bhOffScene(), stall.BHOff, stall.High, nil},
		"stolen time is not": {
			change(bhOffScene(), func(w *event.Window) { w.StolenKnown = false }), stall.BHOff, stall.Medium, []stall.Source{stall.SourceStolen},
		},
		"pending softirqs are not": {
			each(bhOffScene(), func(_ int, s *event.CPUSample) { s.PendingKnown = false }), stall.BHOff, stall.Medium, []stall.Source{stall.SourcePending},
		},
		"no count: what a task did to bottom halves is not known": {
			each(bhOffScene(), func(_ int, s *event.CPUSample) { s.At.CountKnown = false }), stall.Unexplained, stall.Low, []stall.Source{stall.SourceCount},
		},
		"no count, but ksoftirqd waited": {
			each(change(longSyscallScene(), func(w *event.Window) {
				w.At.CountKnown, w.Edges = false, []event.Edge{wakeEdge(10.1, ksoftirq1)}
			}), func(_ int, s *event.CPUSample) { s.At.CountKnown = false }), stall.LongSyscall, stall.Medium, []stall.Source{stall.SourceCount},
		},
		"two things are not known": {
			each(change(bhOffScene(), func(w *event.Window) { w.StolenKnown = false }), func(_ int, s *event.CPUSample) { s.PendingKnown = false }),
			stall.BHOff, stall.Medium, []stall.Source{stall.SourcePending, stall.SourceStolen},
		},
		"two samples": {
			change(bhOffScene().only(2), func(w *event.Window) { w.Served = ms(1010) }), stall.BHOff, stall.Medium, nil,
		},
		"three of four agree": {
			each(change(bhOffScene().only(4), func(w *event.Window) { w.Served = ms(1018) }), func(i int, s *event.CPUSample) {
				if i == 3 {
					s.At.PreemptCount = 0x10000
				}
			}), stall.BHOff, stall.Medium, nil,
		},
		"four of five agree": {
			each(change(bhOffScene().only(5), func(w *event.Window) { w.Served = ms(1022) }), func(i int, s *event.CPUSample) {
				if i == 3 {
					s.At.PreemptCount = 0x10000
				}
			}), stall.BHOff, stall.High, nil,
		},
		"no sample, bottom halves were off at the raise": {
			change(bhOffScene().only(0), func(w *event.Window) { w.Served = ms(1008) }), stall.BHOff, stall.Low, nil,
		},
		"the handler has no name": {
			change(hardirqScene(), func(w *event.Window) { w.Edges[0].Handler = "" }), stall.HardirqLong, stall.Medium, nil,
		},
		"the handler covers two thirds": {
			change(hardirqScene(), func(w *event.Window) { w.Edges[1].Time = ms(92) }), stall.HardirqLong, stall.Low, nil,
		},
		"a timer by its edges, no sample": {
			timerSoftirqScene().only(0), stall.OtherSoftirq, stall.High, nil,
		},
		"a late timer, and a tenth is stolen": {
			change(irqOffScene(), func(w *event.Window) { w.Stolen = ms(10) }), stall.IRQOff, stall.Low, nil,
		},
		"a system call, seen once": {
			change(longSyscallScene().only(1), func(w *event.Window) { w.Served, w.Done = ms(16.9), ms(17) }).early(17), stall.CPUContention, stall.Medium, nil,
		},
		"a system call, seen twice": {
			change(longSyscallScene().only(2), func(w *event.Window) { w.Served, w.Done = ms(18.9), ms(19) }).early(19), stall.LongSyscall, stall.Medium, nil,
		},
		"a system call, seen three times of four": {
			each(change(longSyscallScene().only(4), func(w *event.Window) { w.Served, w.Done = ms(26.9), ms(27) }), func(i int, s *event.CPUSample) {
				if i == 2 {
					s.Syscall = &event.Syscall{Number: 1}
				}
			}).early(27), stall.CPUContention, stall.High, nil,
		},
		"a budget smaller than a poll": {
			change(floodScene(), func(w *event.Window) { w.Polls.Full = 0 }), stall.NetRXBudget, stall.Medium, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := test.scene.play(New(Config{}))
			if s == nil {
				t.Fatal("no stall")
			}
			if s.Verdict != test.verdict || s.Confidence != test.want {
				t.Errorf("%s, %s; want %s, %s; %s", s.Verdict, s.Confidence, test.verdict, test.want, s.Sentence())
			}
			if d := cmp.Diff(test.missing, s.Unavailable); d != "" {
				t.Errorf("unavailable (-want +got):\n%s", d)
			}
		})
	}
}

// early has all packets come at once and handled at a time.
func (s scene) early(handled float64) scene {
	for i := range s.packets {
		s.packets[i].Queued, s.packets[i].Time = s.window.Start, ms(handled)
	}
	return s
}
