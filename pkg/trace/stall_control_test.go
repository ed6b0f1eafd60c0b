// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/inject"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// controlTime is how long ordinary traffic is watched; a minute where every test has
// to run.
func controlTime() time.Duration {
	if os.Getenv("DROPWATCH_CI") != "" {
		return time.Minute
	}
	return 5 * time.Second
}

// TestNobodyIsBlamed watches traffic that nobody disturbs, after it began, with CPUs
// that sleep in between. What the machine itself does, a hypervisor that takes the CPU
// away or its own work on virtual memory, is told all the same, but of no packets of
// this test for longer than a tick.
func TestNobodyIsBlamed(t *testing.T) {
	labtest.NeedRoot(t)
	bench, err := inject.Open(inject.BHOff) // which is not used
	labtest.Need(t, err)
	defer bench.Close()
	end := time.Now().Add(controlTime())
	for time.Now().Before(end) {
		if err := bench.Start(); err != nil {
			t.Fatal(err)
		}
		source, err := OpenStalls(StallConfig{}, "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		packets, err := bench.Stop()
		if err != nil {
			t.Fatal(err)
		}
		if err := source.Stop(); err != nil {
			t.Fatal(err)
		}
		var longest time.Duration
		for _, p := range packets {
			longest = max(longest, p.Delay())
		}
		for _, s := range stallsOf(t, source) {
			late := 0
			for i := range s.Late {
				if s.Late[i].Netns.Inode == bench.Net().Rx.Netns {
					late++
				}
			}
			// The packets themselves show whether they were late.
			if late > 0 && longest < DefaultThreshold {
				t.Errorf("no packet took longer than %v, yet: %s", longest, s.Sentence())
			}
		}
		source.Close()
	}
}

// TestAttachInFlood attaches while a CPU does nothing but handle packets.
func TestAttachInFlood(t *testing.T) {
	labtest.NeedRoot(t)
	net, err := lab.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	flood, err := net.NewFlood(lab.FloodOptions{CPU: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer flood.Close()
	ctx, cancel := context.WithCancel(t.Context())
	flooded := make(chan error, 1)
	go func() {
		_, err := flood.Run(ctx, lab.Sendto, 5*time.Second)
		flooded <- err
	}()
	time.Sleep(200 * time.Millisecond)
	for range 5 {
		source, err := OpenStalls(StallConfig{}, "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
		if err := source.Stop(); err != nil {
			t.Fatal(err)
		}
		for _, s := range stallsOf(t, source) {
			for i := range s.Late {
				if s.Late[i].Netns.Inode == net.Rx.Netns {
					t.Errorf("a flood that is handled at once is reported as late: %s", s.Sentence())
					break
				}
			}
		}
		source.Close()
	}
	cancel()
	if err := <-flooded; err != nil && ctx.Err() == nil {
		t.Error(err)
	}
}

// TestEchoes compares how long echo requests waited with the round trips their sender
// measured.
func TestEchoes(t *testing.T) {
	labtest.NeedRoot(t)
	bench, err := inject.Open(inject.BHOff)
	labtest.Need(t, err)
	defer bench.Close()
	source, err := OpenStalls(StallConfig{Echoes: true}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if err := bench.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(30 * time.Millisecond)
	truth, err := bench.Inject(50 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(30 * time.Millisecond)
	packets, err := bench.Stop()
	if err != nil {
		t.Fatal(err)
	}
	if err := source.Stop(); err != nil {
		t.Fatal(err)
	}
	delays := map[[2]uint16]time.Duration{} // by identifier and sequence number
	for e, err := source.Next(); err == nil; e, err = source.Next() {
		if echo, ok := e.(*event.Echo); ok && echo.Queued != 0 {
			delays[[2]uint16{echo.Packet.EchoID, echo.Packet.EchoSeq}] = echo.Time - echo.Queued
		}
	}
	// Sequence by sequence, the wait is what ping sees as round-trip time.
	late := 0
	for _, p := range packets {
		if p.EchoID == 0 || p.Arrived == 0 {
			continue
		}
		delay, ok := delays[[2]uint16{p.EchoID, uint16(p.Number)}]
		if !ok {
			t.Errorf("echo request %d was not seen", p.Number)
			continue
		}
		if off := (p.Delay() - delay).Abs(); off > 2*time.Millisecond {
			t.Errorf("echo request %d waited %v, its round trip took %v", p.Number, delay, p.Delay())
		}
		if p.Sent >= truth.Start && p.Returned <= truth.End && delay > DefaultThreshold {
			late++
		}
	}
	if late < 3 {
		t.Errorf("%d echo requests were late", late)
	}
}
