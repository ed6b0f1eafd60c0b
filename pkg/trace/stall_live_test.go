// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/dropwatch/dropwatch/internal/lab/inject"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// attempts is how often a test tries again what other work of the machine may spoil:
// the moment at which a stall begins and ends.
const attempts = 4

// edge is by how much the time that the CPU was held is longer than the truth says.
const edge = 200 * time.Microsecond

// TestInjected has every injector hold CPU 1 and compares the stall that is told with
// what the injector knows.
func TestInjected(t *testing.T) {
	labtest.NeedRoot(t)
	for _, class := range inject.Classes() {
		t.Run(string(class), func(t *testing.T) {
			bench, err := inject.Open(class)
			labtest.Need(t, err)
			defer func() {
				if err := bench.Close(); err != nil {
					t.Error(err)
				}
			}()
			for _, d := range []time.Duration{10 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond} {
				t.Run(d.String(), func(t *testing.T) { testInjected(t, bench, class, d, StallRungs()[0], "") })
			}
		})
	}
}

// TestInjectedByRung has every injector hold CPU 1 once by each lower rung of the
// tracepoints, the last with types from a file. Records do not identify NAPI threads.
func TestInjectedByRung(t *testing.T) {
	labtest.NeedRoot(t)
	for _, rung := range StallRungs()[1:] {
		file := ""
		if rung == tracepoint {
			file = "/sys/kernel/btf/vmlinux"
		}
		for _, class := range inject.Classes() {
			if rung == tracepoint && (class == inject.RTStarve || class == inject.CPUContention) {
				continue
			}
			t.Run(rung+"/"+string(class), func(t *testing.T) {
				bench, err := inject.Open(class)
				labtest.Need(t, err)
				defer func() {
					if err := bench.Close(); err != nil {
						t.Error(err)
					}
				}()
				testInjected(t, bench, class, 100*time.Millisecond, rung, file)
			})
		}
	}
}

func testInjected(t *testing.T, bench *inject.Bench, class inject.Class, d time.Duration, rung, types string) {
	var spoiled error
	for range attempts {
		source, err := OpenStallsOn(StallConfig{}, rung, types)
		if err != nil {
			t.Fatal(err)
		}
		w, err := watchInjected(t, source, bench, d)
		source.Close()
		if spoiled = err; err != nil {
			continue
		}
		if spoiled = compareStall(class, d, w.truth, w.packets, bench.Net().Rx.Netns, w.stalls); spoiled == nil {
			return
		}
		t.Logf("spoiled: %v", spoiled)
	}
	t.Error(spoiled)
}

// compareStall returns an error if the reported stall is not the injected one.
func compareStall(class inject.Class, d time.Duration, truth inject.Truth, packets []inject.Packet, netns uint32, stalls []*stall.Stall) error {
	overlap := func(s *stall.Stall) time.Duration { return min(s.End, truth.End) - max(s.Start, truth.Start) }
	if len(stalls) == 0 {
		return fmt.Errorf("no stall was reported in the window %v to %v", truth.Start, truth.End)
	}
	s := slices.MaxFunc(stalls, func(a, b *stall.Stall) int { return cmp.Compare(overlap(a), overlap(b)) })
	if overlap(s) <= 0 {
		return fmt.Errorf("no stall overlaps the window %v to %v", truth.Start, truth.End)
	}
	if string(s.Verdict) != string(class) {
		return fmt.Errorf("verdict %s: %s", s.Verdict, s.Sentence())
	}
	if truth.PID != 0 && class != inject.CPUContention && (s.Culprit == nil || s.Culprit.PID != uint32(truth.PID) || s.Culprit.Comm != truth.Comm) {
		return fmt.Errorf("culprit %+v, want %s (pid %d)", s.Culprit, truth.Comm, truth.PID)
	}
	if truth.File != "" && (s.Culprit.Syscall == nil || s.Culprit.Syscall.String() != "read("+truth.File+")") {
		return fmt.Errorf("system call %v, want a read of %s", s.Culprit.Syscall, truth.File)
	}
	// The tick gives 2 or 3 samples in 10 ms, a late timer none before it, and there is
	// no tick while a softirq runs that interrupted an idle CPU.
	sure := d > 40*time.Millisecond && class != inject.IRQOff && class != inject.CPUContention &&
		(class != inject.NETRXSlow || s.Samples > 0) &&
		(class != inject.NETRXBudget || 5*s.Agreeing >= 4*s.Samples) // ksoftirqd shares the CPU
	best := stall.High
	if kernel, err := btf.LoadKernelSpec(); err == nil && len(findPerCPU(kernel).offsets) == 0 {
		best = stall.Medium // such as 5.10 for arm64: neither BTF nor symbols have the variables
	}
	if sure && s.Confidence != best {
		return fmt.Errorf("confidence %s in %d samples of %d, %.1f %% accounted", s.Confidence, s.Agreeing, s.Samples, 100*s.Accounted)
	}
	if sure && truth.PID != 0 {
		if err := compareGroup(s.Culprit.CgroupPath); err != nil {
			return err
		}
	}
	if class == inject.LongSyscall { // until ksoftirqd is woken, interrupts serve packets
		if s.Start < truth.Start {
			return fmt.Errorf("starts %v before the injector", truth.Start-s.Start)
		}
		truth.Start = s.Start - edge
	}
	if class == inject.CPUContention {
		return nil // the thread has its turn among the others, sooner or later
	}
	if err := compareTimes(class, d, truth, packets, s); err != nil {
		return err
	}
	return compareLate(class, truth, packets, netns, s)
}

// compareGroup checks the path of an injector's control group, which is that of this
// process. It is not known where only the injector knew it, which is gone.
func compareGroup(path string) error {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	own, v1 := groupOf(string(text))
	if path != own && (path != "" || !v1) {
		return fmt.Errorf("culprit in group %q, want %q", path, own)
	}
	return nil
}

// compareTimes checks that a stall begins with the first packet sent in the window and
// ends with it.
func compareTimes(class inject.Class, d time.Duration, truth inject.Truth, packets []inject.Packet, s *stall.Stall) error {
	first := slices.IndexFunc(packets, func(p inject.Packet) bool { return p.Sent >= truth.Start })
	if first < 0 {
		return errors.New("no packet was sent in the window")
	}
	slack := max(time.Millisecond, d/20)
	// Who else wants the CPU may have it between the injector and a thread: the first
	// packet to arrive after the injector's end tells when that was.
	arrived := truth.End
	for _, p := range packets {
		if p.Arrived >= truth.End && (arrived == truth.End || p.Arrived < arrived) {
			arrived = p.Arrived
		}
	}
	if s.End < truth.End-slack || s.End > arrived+slack {
		return fmt.Errorf("ends %v off the injector, %v off the first arrival", s.End-truth.End, s.End-arrived)
	}
	if class == inject.NETRXBudget {
		return compareLongest(truth, packets, s)
	}
	// It may have begun to wait before the injector, for others: for a packet then.
	began := slices.ContainsFunc(packets, func(p inject.Packet) bool {
		return p.Sent-slack <= s.Start && s.Start <= p.Returned+slack && p.Arrived >= s.End-slack
	})
	if s.Start > packets[first].Returned+slack || !began {
		return fmt.Errorf("starts %v off the first packet", s.Start-packets[first].Sent)
	}
	return nil
}

// compareLongest checks that a stall is the longest wait of a packet. A datagram was put
// into its queue between the start of the system call that sent it and the return of that.
// An echo request says nothing: its reply is put into a queue of the same CPU, behind what
// is left of the burst, so that its round trip is two waits.
func compareLongest(truth inject.Truth, packets []inject.Packet, s *stall.Stall) error {
	const slack = time.Millisecond // from the end of the wait to the socket
	var least, most time.Duration
	for _, p := range packets {
		if p.EchoID == 0 && p.Sent >= truth.Start && p.Arrived != 0 {
			least, most = max(least, p.Arrived-p.Returned), max(most, p.Delay())
		}
	}
	if s.Duration() < least-slack || s.Duration() > most+slack {
		return fmt.Errorf("the longest wait is reported as %v, was %v to %v", s.Duration(), least, most)
	}
	return nil
}

// firstHandled returns when the first packet came that was sent while the CPU was held:
// until then all of them wait, and after that a guest may take milliseconds for each. It is
// never where packets are handled all along.
func firstHandled(class inject.Class, truth inject.Truth, packets []inject.Packet) time.Duration {
	first := time.Duration(math.MaxInt64)
	switch class {
	case inject.RTStarve, inject.CPUContention, inject.NETRXBudget, inject.NETRXSlow:
		return first
	}
	for _, p := range packets {
		if p.Sent >= truth.Start && p.Sent <= truth.End && p.Arrived > p.Returned {
			first = min(first, p.Arrived)
		}
	}
	return first
}

// compareLate checks that the packets told to be late are those that took as long as the
// threshold. One that was in system calls for part of that may be either.
func compareLate(class inject.Class, truth inject.Truth, packets []inject.Packet, netns uint32, s *stall.Stall) error {
	var inside, across uint64
	handled := firstHandled(class, truth, packets)
	for _, p := range packets {
		switch {
		case p.Sent > truth.End || p.Arrived < truth.Start:
		case p.EchoID != 0 && class == inject.NETRXBudget: // request and reply
			if p.Delay() >= DefaultThreshold-edge {
				across += 2
			}
		case min(p.Arrived, handled)-p.Returned >= DefaultThreshold+edge:
			inside++
		case p.Delay() >= DefaultThreshold-edge:
			across++
		}
	}
	for i := range s.Late {
		if s.Late[i].Netns.Inode != netns { // of other work of this machine, on the same CPU
			s.LateCount--
		}
	}
	switch class {
	case inject.RTStarve, inject.CPUContention:
		// From a ring, nobody sees packets come: those that come while the others are
		// handled count too, up to the end of the poll.
		if s.LateCount < inside {
			return fmt.Errorf("%d packets late, %d were sent in the window", s.LateCount, inside)
		}
		return nil
	case inject.NETRXBudget:
		// Where many wait, stamps of some are overwritten: docs/limitations.md.
		if 10*s.LateCount < 9*inside || s.LateCount > inside+across {
			return fmt.Errorf("%d packets late, %d were sent in the window and up to %d more", s.LateCount, inside, across)
		}
		return nil
	case inject.NETRXSlow:
		// They wait behind slow ones: those that did not for the threshold are not late.
		if s.LateCount > 0 && s.LateCount <= inside+across {
			return nil
		}
		return fmt.Errorf("%d packets late, %d were sent in the window", s.LateCount, inside)
	}
	if s.LateCount < inside || s.LateCount > inside+across {
		return fmt.Errorf("%d packets late, %d were sent in the window and %d across its ends", s.LateCount, inside, across)
	}
	for i := range s.Late {
		at := s.Late[i].Queued
		if s.Late[i].Netns.Inode != netns {
			continue
		}
		if at == 0 {
			return fmt.Errorf("late packet %d does not say when it came", i)
		}
		sent := slices.ContainsFunc(packets, func(p inject.Packet) bool {
			return p.Sent <= at && at <= p.Returned && p.Delay() >= DefaultThreshold-edge
		})
		if !sent {
			return fmt.Errorf("late packet %d came at %v, when none was sent in the window", i, at)
		}
	}
	return nil
}
