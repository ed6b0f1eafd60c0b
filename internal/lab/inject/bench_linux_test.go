// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"fmt"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// attempts is how often a test tries what the machine may spoil: while CPU 1 takes no
// interrupts, whoever sends it one and waits (a change of page tables does) keeps CPU
// 0 from sending, too.
const attempts = 5

// open makes a bench that is closed with the test.
func open(t *testing.T, class Class) *Bench {
	t.Helper()
	labtest.NeedRoot(t)
	b, err := Open(class)
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// inject injects in the middle of traffic.
func inject(t *testing.T, b *Bench, d time.Duration) (Truth, []Packet) {
	t.Helper()
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(30 * time.Millisecond)
	before := clock()
	truth, err := b.Inject(d)
	after := clock()
	time.Sleep(30 * time.Millisecond)
	packets, stopped := b.Stop()
	if err != nil || stopped != nil {
		t.Fatal(err, stopped)
	}
	if truth.Start < before || truth.End > after {
		t.Errorf("window %s to %s is not within %s to %s", truth.Start, truth.End, before, after)
	}
	return truth, packets
}

func TestInject(t *testing.T) {
	for _, class := range Classes() {
		t.Run(string(class), func(t *testing.T) {
			b := open(t, class)
			for _, d := range []time.Duration{10 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond} {
				t.Run(d.String(), func(t *testing.T) { testInject(t, b, d) })
			}
		})
	}
}

func testInject(t *testing.T, b *Bench, d time.Duration) {
	var spoiled error
	for range attempts {
		truth, packets := inject(t, b, d)
		checkTruth(t, truth, b.class, d)
		if spoiled = checkPackets(t, truth, packets, d); spoiled == nil {
			return
		}
		t.Log(spoiled)
	}
	t.Error(spoiled)
}

// checkTruth compares a Truth with what is known of its class.
func checkTruth(t *testing.T, got Truth, class Class, d time.Duration) {
	t.Helper()
	want := map[Class]Truth{
		BHOff:         {Comm: "inject-bh-off", Function: "__dev_queue_xmit"},
		IRQOff:        {Comm: "inject-irq-off", Function: "bpf_seq_read", File: "/memory_stat"},
		LongSyscall:   {Comm: "inject-read", Function: "bpf_seq_read", File: "/memory_stat"},
		HardirqLong:   {Function: "perf_swevent_hrtimer"},
		OtherSoftirq:  {Function: "bpf_timer_cb"},
		NETRXSlow:     {Function: "process_backlog", Device: "lab-rx"},
		NETRXBudget:   {Function: "net_rx_action", Device: "lab-rx"},
		RTStarve:      {Comm: "inject-rt", Device: "lab-rx"},
		CPUContention: {Comm: "inject-hog", Device: "lab-rx"},
	}[class]
	want.Class, want.CPU = class, receiveCPU
	want.Start, want.End, want.PID, want.TID = got.Start, got.End, got.PID, got.TID
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if blamed := got.PID > 0 && got.TID == got.PID; blamed != (got.Comm != "") {
		t.Errorf("got process %d, thread %d, name %q", got.PID, got.TID, got.Comm)
	}
	// A burst competes with other processes, once it is ksoftirqd's.
	most := d + d/2 + 20*time.Millisecond
	if class == NETRXBudget {
		most = 5 * d
	}
	if window := got.End - got.Start; window < d || window > most {
		t.Errorf("got a window of %s, want %s to %s", window, d, most)
	}
}

// checkPackets fails a test if packets contradict the truth, and returns an error if
// they do not show it.
func checkPackets(t *testing.T, truth Truth, packets []Packet, d time.Duration) error {
	t.Helper()
	var inside, outside []Packet
	bursts := 0 // packets of them
	for _, p := range packets {
		if p.Arrived == 0 {
			return fmt.Errorf("packet %d did not arrive", p.Number)
		}
		if p.CPU != receiveCPU {
			t.Errorf("packet %d was handled on CPU %d", p.Number, p.CPU)
		}
		if p.Dst.Port() == slowPort {
			bursts++
			continue
		}
		switch {
		case p.Sent >= truth.Start && p.Returned <= truth.End:
			inside = append(inside, p)
		case p.Returned < truth.Start-2*time.Millisecond || p.Sent > truth.End+2*time.Millisecond:
			outside = append(outside, p)
		}
	}
	if want := int(d / cost); truth.Class == NETRXBudget && bursts != want {
		t.Errorf("%d packets of a burst are told, want %d", bursts, want)
	}
	if want := int(d/interval) / 10; len(inside) < want {
		return fmt.Errorf("%d packets were sent in the window, want at least %d", len(inside), want)
	}
	quick, late := median(outside), longest(inside)
	if quick > time.Millisecond && truth.Class != CPUContention { // others contend, too
		return fmt.Errorf("packets outside of the window took %s", quick)
	}
	if late < d/2 && !(truth.Class == CPUContention && d < 50*time.Millisecond) {
		return fmt.Errorf("packets took at most %s, want %s", late, d/2)
	}
	if truth.Class == NETRXBudget || truth.Class == CPUContention {
		return nil // some get through
	}
	for _, p := range inside {
		if p.Arrived < truth.End {
			t.Errorf("packet %d, sent %s after the start, arrived %s before the end",
				p.Number, p.Sent-truth.Start, truth.End-p.Arrived)
		}
	}
	return nil
}
