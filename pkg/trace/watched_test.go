// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab/inject"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/softirq"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// watched is what was done while a source watched, by the source's clock, and what it
// told of the CPU that was held.
type watched struct {
	truth   inject.Truth
	packets []inject.Packet
	stalls  []*stall.Stall
	echoes  []event.Echo
}

// watchInjected injects in the middle of traffic and stops the source.
// An error is one of the injector's, which other work may disturb.
func watchInjected(t *testing.T, source *Stalls, bench *inject.Bench, d time.Duration) (w watched, err error) {
	t.Helper()
	if err := bench.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	w.truth, err = bench.Inject(d)
	time.Sleep(50 * time.Millisecond)
	packets, stopped := bench.Stop()
	if err := source.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(err, stopped); err != nil {
		return w, err
	}
	w.packets = packets
	w.stalls, w.echoes = told(t, source)
	w.stalls = slices.DeleteFunc(w.stalls, func(s *stall.Stall) bool { return s.CPU != w.truth.CPU })
	start := source.Meta().StartMono
	w.truth.Start, w.truth.End = w.truth.Start-start, w.truth.End-start
	rebase(packets, start)
	return w, nil
}

// rebase has the times of packets count from the start of a source.
func rebase(packets []inject.Packet, start time.Duration) {
	for i := range packets {
		p := &packets[i]
		p.Sent, p.Returned = p.Sent-start, p.Returned-start
		if p.Arrived != 0 {
			p.Arrived -= start
		}
	}
}

// stallsOf reads the stalls of a source.
func stallsOf(t *testing.T, source *Stalls) []*stall.Stall {
	t.Helper()
	stalls, _ := told(t, source)
	return stalls
}

// told reads the events of a source to its end and checks that nothing was lost.
func told(t *testing.T, source *Stalls) (stalls []*stall.Stall, echoes []event.Echo) {
	t.Helper()
	tracker := softirq.New(softirq.ConfigOf(source.Meta()))
	for {
		e, err := source.Next()
		if errors.Is(err, io.EOF) {
			return stalls, echoes
		}
		if err != nil {
			t.Fatal(err)
		}
		if echo, ok := e.(*event.Echo); ok {
			echoes = append(echoes, *echo)
		}
		if found := tracker.Add(e); found != nil {
			stalls = append(stalls, found)
		}
		if end, ok := e.(*event.End); ok {
			if l := end.Stalls; l.Submitted != l.Read || l.RingFull > 0 || l.Malformed > 0 {
				t.Errorf("lost: %+v", *l)
			}
		}
	}
}
