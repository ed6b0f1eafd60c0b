// SPDX-License-Identifier: Apache-2.0

//go:build linux && guest

package trace_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestLockdown locks the kernel down until it is booted again, and traces: drops are
// counted by location and reason, and stalls cannot be watched for.
func TestLockdown(t *testing.T) {
	if err := os.WriteFile("/sys/kernel/security/lockdown", []byte("confidentiality"), 0); err != nil {
		t.Fatal(err)
	}
	tracer, err := trace.Open(trace.Config{Exact: true, Stalls: &trace.StallConfig{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"packets cannot be read; drops carry only reason, location and stack: the kernel is locked down (confidentiality)",
		"stalls are not recorded: the kernel is locked down (confidentiality), so BPF may not read its memory",
	} {
		if !slices.ContainsFunc(tracer.Meta().Notes, func(note string) bool { return strings.HasPrefix(note, want) }) {
			t.Errorf("notes %q lack %q", tracer.Meta().Notes, want)
		}
	}
	const packets = 200
	s := watchBy(t, tracer, func(*seen) {
		if _, err := scenario(t, "udp-closed-port").Run(t.Context(), packets); err != nil {
			t.Error(err)
		}
	})
	var drops uint64
	for _, c := range s.counts {
		if s := c.Cell.Location.Symbol; s == "__udp4_lib_rcv" || s == "udp_rcv" {
			drops += c.Drops
			t.Logf("%d %s at %s", c.Drops, c.Cell.Reason, c.Cell.Location)
		}
	}
	if drops != packets {
		t.Errorf("%d drops on receive in UDP, want %d", drops, packets)
	}
	if !slices.ContainsFunc(s.drops, func(d event.Drop) bool { return d.Stack != nil && len(d.Stack.Frames) > 3 }) {
		t.Error("no drop has a stack")
	}

	var denied *trace.DeniedError
	if _, err := trace.OpenStalls(trace.StallConfig{}, ""); !errors.As(err, &denied) || !errors.Is(err, os.ErrPermission) {
		t.Errorf("error %v, want that lockdown denies it", err)
	}
}
