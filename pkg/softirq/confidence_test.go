// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
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
		verdict Verdict
		want    Confidence
		missing []Source
	}{
		"all is known": {bhOffScene(), BHOff, High, nil},
		"stolen time is not": {
			change(bhOffScene(), func(w *event.Window) { w.StolenKnown = false }), BHOff, Medium, []Source{SourceStolen},
		},
		"pending softirqs are not": {
			each(bhOffScene(), func(_ int, s *event.CPUSample) { s.PendingKnown = false }), BHOff, Medium, []Source{SourcePending},
		},
		"no count: what a task did to bottom halves is not known": {
			each(bhOffScene(), func(_ int, s *event.CPUSample) { s.At.CountKnown = false }), Unexplained, Low, []Source{SourceCount},
		},
		"no count, but ksoftirqd waited": {
			each(change(longSyscallScene(), func(w *event.Window) {
				w.At.CountKnown, w.Edges = false, []event.Edge{wakeEdge(10.1, ksoftirq1)}
			}), func(_ int, s *event.CPUSample) { s.At.CountKnown = false }), LongSyscall, Medium, []Source{SourceCount},
		},
		"two things are not known": {
			each(change(bhOffScene(), func(w *event.Window) { w.StolenKnown = false }), func(_ int, s *event.CPUSample) { s.PendingKnown = false }),
			BHOff, Medium, []Source{SourcePending, SourceStolen},
		},
		"two samples": {
			change(bhOffScene().only(2), func(w *event.Window) { w.Served = ms(1010) }), BHOff, Medium, nil,
		},
		"three of four agree": {
			each(change(bhOffScene().only(4), func(w *event.Window) { w.Served = ms(1018) }), func(i int, s *event.CPUSample) {
				if i == 3 {
					s.At.PreemptCount = 0x10000
				}
			}), BHOff, Medium, nil,
		},
		"four of five agree": {
			each(change(bhOffScene().only(5), func(w *event.Window) { w.Served = ms(1022) }), func(i int, s *event.CPUSample) {
				if i == 3 {
					s.At.PreemptCount = 0x10000
				}
			}), BHOff, High, nil,
		},
		"no sample, bottom halves were off at the raise": {
			change(bhOffScene().only(0), func(w *event.Window) { w.Served = ms(1008) }), BHOff, Low, nil,
		},
		"the handler has no name": {
			change(hardirqScene(), func(w *event.Window) { w.Edges[0].Handler = "" }), HardirqLong, Medium, nil,
		},
		"the handler covers two thirds": {
			change(hardirqScene(), func(w *event.Window) { w.Edges[1].Time = ms(92) }), HardirqLong, Low, nil,
		},
		"a timer by its edges, no sample": {
			timerSoftirqScene().only(0), OtherSoftirq, High, nil,
		},
		"a late timer, and a tenth is stolen": {
			change(irqOffScene(), func(w *event.Window) { w.Stolen = ms(10) }), IRQOff, Low, nil,
		},
		"a system call, seen once": {
			change(longSyscallScene().only(1), func(w *event.Window) { w.Served, w.Done = ms(16.9), ms(17) }).early(17), CPUContention, Medium, nil,
		},
		"a system call, seen twice": {
			change(longSyscallScene().only(2), func(w *event.Window) { w.Served, w.Done = ms(18.9), ms(19) }).early(19), LongSyscall, Medium, nil,
		},
		"a system call, seen three times of four": {
			each(change(longSyscallScene().only(4), func(w *event.Window) { w.Served, w.Done = ms(26.9), ms(27) }), func(i int, s *event.CPUSample) {
				if i == 2 {
					s.Syscall = &event.Syscall{Number: 1}
				}
			}).early(27), CPUContention, High, nil,
		},
		"a budget smaller than a poll": {
			change(floodScene(), func(w *event.Window) { w.Polls.Full = 0 }), NetRXBudget, Medium, nil,
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
