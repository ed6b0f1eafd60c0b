// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// TestInterruptsOffInUserSpace has a late tick come while a process is in user space, on
// the way there, and in the kernel: it alone can have turned interrupts off.
func TestInterruptsOffInUserSpace(t *testing.T) {
	for name, test := range map[string]struct {
		frames []string
		want   told
		says   string
	}{
		"in the kernel": {
			[]string{"ioremap", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"},
			told{stall.IRQOff, ms(200), ms(240), "spin", stall.Medium, false},
			"NET_RX on CPU 1 waited 40 ms because interrupts were off until they came back on in spin (pid 900); 2 packets delayed",
		},
		"on the way to user space": {
			[]string{"irqentry_exit_to_user_mode", "asm_sysvec_reschedule_ipi"},
			told{stall.IRQOff, ms(200), ms(240), "spin", stall.Low, false},
			"NET_RX on CPU 1 waited 40 ms, possibly because no interrupt came until spin (pid 900) was in user space; 2 packets delayed",
		},
		"in user space": {
			nil,
			told{stall.IRQOff, ms(200), ms(240), "spin", stall.Low, false},
			"NET_RX on CPU 1 waited 40 ms, possibly because no interrupt came until spin (pid 900) was in user space; 2 packets delayed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := irqOffScene()
			s.samples[0].Stack, s.samples[0].Syscall = ticked(test.frames), nil
			s.packets = []event.LatePacket{packet(s.window, 200, 240.1), packet(s.window, 210, 240.1)}
			got := s.play(New(Config{}))
			if got == nil || *tell(got) != test.want {
				t.Fatalf("got %+v, want %+v", tell(got), test.want)
			}
			if got.Sentence() != test.says {
				t.Errorf("got %q, want %q", got.Sentence(), test.says)
			}
		})
	}
}

// TestUserSpace says of a process where it was, by whether its samples have frames of the
// kernel.
func TestUserSpace(t *testing.T) {
	for _, test := range []struct {
		frames []string
		says   string
	}{
		{nil, "NET_RX on CPU 1 waited 8.0 ms because no interrupt came before the tick while cc1 (pid 70) was in user space; 1 packet delayed"},
		{[]string{"clear_page", "handle_mm_fault", "asm_exc_page_fault"}, "NET_RX on CPU 1 waited 8.0 ms because no interrupt came before the tick while cc1 (pid 70) was in the kernel; 1 packet delayed"},
	} {
		w := raised(100, 108, interrupted(builder, 0))
		s := scene{window: w, packets: []event.LatePacket{packet(w, 100, 108.1)}}
		s.samples = sampled(w, 104, 1, event.CPUSample{At: interrupted(builder, 0x10000), Stack: ticked(test.frames)})
		if got := s.play(New(Config{})); got == nil || got.Sentence() != test.says {
			t.Errorf("got %v, want %q", got, test.says)
		}
	}
}
